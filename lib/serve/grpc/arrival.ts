import type { ServerInterceptor } from '@grpc/grpc-js';

import { GhostNetError } from '../../errors.js';
import { grpcStatusOf } from './faults.js';
import type { Peers } from './peers.js';

/** Ends calls whose message does not arrive in time, which would keep their connection and a part of the message for ever. */
export function arrivalWithin(timeoutMs: number, peers: Peers): ServerInterceptor {
  return (_method, call) => {
    let timer: NodeJS.Timeout | undefined;
    return new peers.grpc.ServerInterceptingCall(call, {
      start: (next) => {
        timer = setTimeout(() => {
          call.sendStatus(grpcStatusOf(peers, tooSlow(timeoutMs)));
        }, timeoutMs);
        next({
          onReceiveHalfClose: (proceed) => {
            clearTimeout(timer);
            proceed();
          },
          onCancel: () => {
            clearTimeout(timer);
          },
        });
      },
    });
  };
}

function tooSlow(timeoutMs: number): GhostNetError {
  return new GhostNetError('GHOSTNET_TIMEOUT', 'The message of the request did not arrive in time', {
    expected: `it within ${timeoutMs} ms, the option requestTimeoutMs of the server`,
    remedy: 'Send the message at once.',
  });
}
