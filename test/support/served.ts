import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { GhostNet } from 'ghostnet';
import { createHandler, type Handler, type HandlerOptions } from 'ghostnet/serve';

import { smallStages } from './models.js';
import { gradient, toSharp } from './pictures.js';

/** A small model, and a picture for it. */
export async function smallModel(): Promise<{ model: GhostNet; jpeg: Buffer }> {
  const model = await GhostNet.create({ stages: smallStages, numClasses: 4, inputSize: 32, seed: 1 });
  return { model, jpeg: await toSharp(gradient(90, 60)).jpeg().toBuffer() };
}

/** A handler behind a server of Node. */
export interface Served {
  readonly handler: Handler;
  readonly url: string;
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** Serves a model as `small`, and `other` in the versions 1 and 2. */
export async function served(model: GhostNet, options: HandlerOptions = {}): Promise<Served> {
  const handler = createHandler(
    [
      { name: 'other', model },
      { name: 'other', version: '2', model: Promise.resolve(model) },
      { name: 'small', model },
    ],
    options,
  );
  await handler.whenReady();
  const server = await listening(createServer(handler));
  const { port } = server.address() as AddressInfo;
  return {
    handler,
    port,
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await handler.close();
    },
  };
}

export function listening(server: Server): Promise<Server> {
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => {
      resolve(server);
    }),
  );
}

/** An answer in JSON. */
export interface JsonAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The JSON at an address. */
export async function fetchJson(url: string, init?: RequestInit): Promise<JsonAnswer> {
  const response = await fetch(url, init);
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as JsonAnswer['body'],
  };
}
