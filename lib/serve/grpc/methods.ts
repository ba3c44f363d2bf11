import type { Metadata, sendUnaryData, ServerUnaryCall, UntypedServiceImplementation } from '@grpc/grpc-js';

import { errorOf, report } from '../faults.js';
import type { HandlerParts } from '../handler.js';
import { infer } from '../infer.js';
import { modelMetadata, serverMetadata, type ModelMetadata } from '../protocol/metadata.js';
import { runInTrace } from '../traces.js';
import type { Definition } from './definition.js';
import { grpcStatusOf } from './faults.js';
import { grpcRequestOf } from './inference-request.js';
import { grpcResponseOf } from './inference-response.js';
import type { ModelInferResponse, ModelRequest } from './messages.js';
import type { Peers } from './peers.js';

/** The methods of the service for the models of a handler. */
export function methodsOf(
  parts: HandlerParts,
  peers: Peers,
  { readInferRequest }: Definition,
): UntypedServiceImplementation {
  const { models, authorization, budget } = parts;
  const servingOf = ({ name, version }: ModelRequest) =>
    models.find(name, version === '' ? undefined : version);

  /** Sends what a method returns or throws. */
  const unary =
    <Request, Response>(method: (call: ServerUnaryCall<Request, Response>) => Response | Promise<Response>) =>
    (call: ServerUnaryCall<Request, Response>, send: sendUnaryData<Response>): void => {
      Promise.resolve(call)
        .then(method)
        .then(
          (response) => {
            send(null, response);
          },
          (error: unknown) => {
            send(grpcStatusOf(peers, errorOf(error, report)));
          },
        );
    };

  /** As over HTTP, what watches over the server needs no token. */
  const withToken =
    <Request, Response>(method: (call: ServerUnaryCall<Request, Response>) => Response | Promise<Response>) =>
    (call: ServerUnaryCall<Request, Response>): Response | Promise<Response> => {
      authorization.check(textOf(call.metadata, 'authorization'));
      return method(call);
    };

  const metadataOf = ({ request }: { readonly request: ModelRequest }): ModelMetadata => {
    const serving = servingOf(request);
    return modelMetadata(serving.name, models.versionsOf(serving.name), serving.model.info);
  };

  const inference = async (
    call: ServerUnaryCall<Buffer, ModelInferResponse>,
  ): Promise<ModelInferResponse> => {
    const bytes = call.request.byteLength;
    budget.take(bytes);
    try {
      const message = readInferRequest(call.request);
      const serving = servingOf({ name: message.model_name, version: message.model_version });
      const request = grpcRequestOf(message);
      const signal = signalOf(call);
      const tensors = await runInTrace(carrierOf(call.metadata), () => infer(serving, request, signal));
      return grpcResponseOf(serving, request.id, tensors);
    } finally {
      budget.give(bytes);
    }
  };

  return {
    ServerLive: unary(() => ({ live: true })),
    ServerReady: unary(() => ({ ready: models.isReady })),
    ModelReady: unary(({ request }: ServerUnaryCall<ModelRequest, object>) => ({
      ready: servingOf(request).isReady && !models.isDraining,
    })),
    ServerMetadata: unary(withToken(() => ({ ...serverMetadata, extensions: ['classification'] }))),
    ModelMetadata: unary(withToken(metadataOf)),
    ModelInfer: unary(
      withToken((call: ServerUnaryCall<Buffer, ModelInferResponse>) => parts.answer(() => inference(call))),
    ),
  };
}

/** Fires when the client has cancelled the call, is gone, or has set a deadline that is over. */
function signalOf(call: ServerUnaryCall<Buffer, ModelInferResponse>): AbortSignal {
  const gone = new AbortController();
  const leave = (): void => {
    gone.abort(new Error('The client is gone'));
  };
  if (call.cancelled) leave();
  else call.once('cancelled', leave);
  return gone.signal;
}

function textOf(metadata: Metadata, key: string): string | undefined {
  return metadata.get(key)[0]?.toString();
}

/** The headers of a call for propagators of traces. */
function carrierOf(metadata: Metadata): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(metadata.getMap()).map(([key, value]) => [key, value.toString()]));
}
