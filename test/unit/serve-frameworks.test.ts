import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import express from 'express';
import fastify from 'fastify';
import type { GhostNet } from 'ghostnet';
import { instrument } from 'ghostnet/opentelemetry';
import { createHandler, type Handler } from 'ghostnet/serve';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { fetchJson, listening, smallModel } from '../support/served.js';

let model: GhostNet;
let jpeg: Buffer;
let handler: Handler;
const registry = new Registry();
const servers: { close: () => unknown }[] = [];

beforeAll(async () => {
  ({ model, jpeg } = await smallModel());
  handler = createHandler({ small: model }, { registry });
  await handler.whenReady();
});
afterAll(async () => {
  for (const server of servers) await server.close();
  await handler.close();
  model.dispose();
});

const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const classify = (url: string, type = 'image/jpeg') =>
  fetchJson(`${url}/classify`, { method: 'POST', body: jpeg, headers: { 'content-type': type } });

async function open(server: Server): Promise<string> {
  await listening(server);
  servers.push({
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  return urlOf(server);
}

describe('createHandler() in a framework', () => {
  it('is a middleware of Express, under any path, and leaves other addresses to others', async () => {
    const app = express();
    app.use('/ml', handler);
    app.get('/ml/own', (_, response) => {
      response.send('mine');
    });
    const url = await open(createServer(app));
    expect((await classify(`${url}/ml`)).status).toBe(200);
    expect((await fetchJson(`${url}/ml/v2/health/ready`)).status).toBe(200);
    expect(await (await fetch(`${url}/ml/own`)).text()).toBe('mine');
    // What the page asks for lies beside it.
    const page = await fetch(`${url}/ml`);
    expect([page.url, page.redirected]).toEqual([`${url}/ml/`, true]);
    expect(await page.text()).toContain('<title>GhostNet</title>');
    expect((await fetch(`${url}/classify`, { method: 'POST' })).status).toBe(404);
  });

  it('works behind parsers of bodies that keep what they read, and says so of others', async () => {
    const app = express();
    app.use(express.json(), express.raw({ type: 'image/*' }), handler);
    const url = await open(createServer(app));
    expect((await classify(url)).status).toBe(200);
    const inputs = [{ name: 'image', datatype: 'BYTES', shape: [1], data: [jpeg.toString('base64')] }];
    const answer = await fetchJson(`${url}/v2/models/small/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ inputs }),
    });
    expect(answer.status).toBe(200);
    const eater = express();
    eater.use((request, _, next) => {
      request.resume();
      request.once('end', next);
    }, handler);
    const lost = await classify(await open(createServer(eater)));
    expect([lost.status, lost.body.code]).toEqual([400, 'GHOSTNET_BAD_REQUEST']);
    expect(lost.body.error).toMatch(/in front of parsers/);
  });

  it('is a route of Fastify', async () => {
    const app = fastify();
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_, __, done) => {
      done(null);
    });
    app.all('/*', (request, reply) => {
      reply.hijack();
      handler(request.raw, reply.raw);
    });
    servers.push(app);
    const url = await app.listen({ port: 0 });
    expect((await classify(url)).status).toBe(200);
    const form = new FormData();
    form.append('image', new Blob([jpeg]), 'a.jpg');
    expect((await fetchJson(`${url}/classify`, { method: 'POST', body: form })).body).toMatchObject({
      file: 'a.jpg',
    });
  });
});

describe('GET /metrics', () => {
  it('has the metrics of the models, in the registry that was given', async () => {
    const url = await open(createServer(handler));
    await classify(url);
    const response = await fetch(`${url}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    expect(text).toMatch(/^nv_inference_request_success\{model="small",version="1"\} [1-9]/m);
    expect(text).toBe(await registry.metrics());
  });
});

describe('the headers of a trace', () => {
  it('make the spans of the images part of it', async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    const exporter = new InMemorySpanExporter();
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
    );
    const stop = instrument();
    const url = await open(createServer(handler));
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    await fetchJson(`${url}/classify`, {
      method: 'POST',
      body: jpeg,
      headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` },
    });
    stop();
    const spans = exporter.getFinishedSpans();
    const image = spans.find(({ name }) => name === 'ghostnet.image');
    expect(image?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
    expect(new Set(spans.map((span) => span.spanContext().traceId))).toEqual(new Set([traceId]));
    expect(spans.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['ghostnet.queue', 'ghostnet.decode', 'ghostnet.compute']),
    );
  });
});

describe('GET /', () => {
  it('is a page that loads nothing from elsewhere, unless it is switched off', async () => {
    const url = await open(createServer(handler));
    const response = await fetch(url);
    const text = await response.text();
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; script-src 'sha256-/,
    );
    expect(text).not.toMatch(/https?:|src="/);
    const bare = createHandler({ small: model }, { page: false });
    await bare.whenReady();
    expect((await fetchJson(await open(createServer(bare)))).status).toBe(404);
    await bare.close();
  });
});
