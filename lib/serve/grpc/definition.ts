import type { ServiceDefinition } from '@grpc/proto-loader';

import { messageOf, quote } from '../../check/words.js';
import { protocolFile } from '../../package-files.js';
import { badRequest } from '../faults.js';
import { checkParts } from './message-parts.js';
import type { ModelInferRequest } from './messages.js';
import type { Peers } from './peers.js';

/** The name of the service. */
export const serviceName = 'inference.GRPCInferenceService';

/** The service of inference.proto. */
export interface Definition {
  /** Its requests for inference are left as bytes: who may send them, and what they cost, is checked before they are read. */
  readonly service: ServiceDefinition;
  /** @throws {@link GhostNetError} `GHOSTNET_BAD_REQUEST` */
  readonly readInferRequest: (bytes: Buffer) => ModelInferRequest;
}

export function loadDefinition({ protoLoader }: Peers): Definition {
  const options = { keepCase: true, longs: Number, defaults: true, oneofs: true };
  const service = protoLoader.loadSync(protocolFile, options)[serviceName] as ServiceDefinition &
    Record<'ModelInfer', ServiceDefinition[string]>;
  const infer = service.ModelInfer;
  return {
    service: { ...service, ModelInfer: { ...infer, requestDeserialize: (bytes: Buffer) => bytes } },
    readInferRequest: (bytes) => {
      checkParts(bytes);
      try {
        return infer.requestDeserialize(bytes) as ModelInferRequest;
      } catch (cause) {
        throw badRequest('The message of the request is no ModelInferRequest', {
          found: quote(messageOf(cause)),
        });
      }
    },
  };
}
