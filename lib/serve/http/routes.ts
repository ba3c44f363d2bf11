import { noSuchPath } from '../faults.js';
import { infer } from '../infer.js';
import type { Serving } from '../model.js';
import { modelConfiguration, modelMetadata, modelStatistics, serverMetadata } from '../protocol/metadata.js';
import { runInTrace } from '../traces.js';
import type { Call } from './call.js';
import { classify } from './classify.js';
import { httpRequestOf } from './inference-request.js';
import { httpResponseOf } from './inference-response.js';
import { page, pageHeaders } from './page.js';
import { send, sendJson } from './respond.js';

/** What the server has at an address. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** `:model` and `:version` stand for a name. */
  readonly path: string;
  /** Whether it needs no token: what watches over the server has none. */
  readonly isOpen?: boolean;
  readonly run: (call: Call) => void | Promise<void>;
}

const servingOf = ({ models, parameters: { model, version } }: Call): Serving => models.find(model, version);

/** Alive while it answers at all. */
const live: Route['run'] = ({ response }) => {
  sendJson(response, 200, { live: true });
};

/** Clients read the status, the field ready or the field live. */
const ready: Route['run'] = ({ models, response }) => {
  const { isReady } = models;
  sendJson(response, isReady ? 200 : 503, { ready: isReady, live: isReady });
};

const modelReady: Route['run'] = (call) => {
  const { name, version, isReady } = servingOf(call);
  const isUp = isReady && !call.models.isDraining;
  sendJson(call.response, isUp ? 200 : 503, { name, version, ready: isUp });
};

const model: Route['run'] = (call) => {
  const serving = servingOf(call);
  const versions = call.models.versionsOf(serving.name);
  sendJson(call.response, 200, modelMetadata(serving.name, versions, serving.model.info));
};

const configuration: Route['run'] = (call) => {
  const serving = servingOf(call);
  const versions = call.models.versionsOf(serving.name);
  const metadata = modelMetadata(serving.name, versions, serving.model.info);
  sendJson(call.response, 200, modelConfiguration(metadata, serving.mostImages));
};

const statistics: Route['run'] = (call) => {
  const { models, parameters } = call;
  const all = parameters.model === undefined ? models.all : [servingOf(call)];
  const stats = all.map((one) => modelStatistics(one, one.stats()));
  sendJson(call.response, 200, { model_stats: stats });
};

const index: Route['run'] = ({ models, response }) => {
  const list = models.all.map(({ name, version, isReady }) => ({
    name,
    version,
    state: isReady ? 'READY' : 'LOADING',
    reason: '',
  }));
  sendJson(response, 200, list);
};

const inference: Route['run'] = async (call) => {
  const serving = servingOf(call);
  const { request, response, signal } = call;
  const body = await call.readBody();
  try {
    const parsed = httpRequestOf(request.headers, body.bytes);
    const tensors = await runInTrace(request.headers, () => infer(serving, parsed, signal));
    const { headers, body: encoded } = httpResponseOf(serving, parsed.id, tensors);
    send(response, 200, headers, encoded);
  } finally {
    body.release();
  }
};

const classification: Route['run'] = async (call) => {
  const { request, response, query, models, signal, report } = call;
  const serving = models.find(query.get('model') ?? undefined, query.get('version') ?? undefined);
  const body = await call.readBody();
  try {
    const answer = await runInTrace(request.headers, () =>
      classify(serving, request, query, body.bytes, signal, report),
    );
    sendJson(response, answer.status, answer.body);
  } finally {
    body.release();
  }
};

const exposition: Route['run'] = async ({ metrics, response }) => {
  const { contentType, text } = await metrics.read();
  send(response, 200, { 'content-type': contentType }, text);
};

const home: Route['run'] = ({ request, response }) => {
  // Where a framework has mounted the handler. The page asks for what lies beside it, so its address ends with a slash.
  const [path = '/'] = ((request as { readonly originalUrl?: string }).originalUrl ?? '/').split('?');
  if (path.endsWith('/')) send(response, 200, pageHeaders, page);
  else send(response, 308, { location: `${path.slice(path.lastIndexOf('/') + 1)}/` }, '');
};

const notHere: Route['run'] = ({ request }) => {
  throw noSuchPath(
    request.method ?? '',
    request.url ?? '',
    'models that are named at the start of the server',
  );
};

/** For a model, and for one of its versions. */
function ofModel(method: Route['method'], rest: string, run: Route['run'], isOpen = false): Route[] {
  return ['/v2/models/:model', '/v2/models/:model/versions/:version'].map((path) => ({
    method,
    path: path + rest,
    run,
    isOpen,
  }));
}

/** Every address of the server. */
export const routes: readonly Route[] = [
  { method: 'GET', path: '/', run: home, isOpen: true },
  { method: 'POST', path: '/classify', run: classification },
  { method: 'GET', path: '/metrics', run: exposition },
  {
    method: 'GET',
    path: '/v2',
    run: ({ response }) => {
      sendJson(response, 200, serverMetadata);
    },
  },
  { method: 'GET', path: '/v2/health/live', run: live, isOpen: true },
  { method: 'GET', path: '/v2/health/ready', run: ready, isOpen: true },
  { method: 'GET', path: '/v2/models/stats', run: statistics },
  { method: 'POST', path: '/v2/repository/index', run: index },
  { method: 'POST', path: '/v2/repository/models/:model/load', run: notHere },
  { method: 'POST', path: '/v2/repository/models/:model/unload', run: notHere },
  ...ofModel('GET', '', model),
  ...ofModel('GET', '/ready', modelReady, true),
  ...ofModel('GET', '/config', configuration),
  ...ofModel('GET', '/stats', statistics),
  ...ofModel('POST', '/infer', inference),
];
