import type { Server, ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';

import type { Models } from '../models.js';
import { serviceName } from './definition.js';
import type { Peers } from './peers.js';

interface Request {
  readonly service: string;
}

/** What grpc-health-check adds to a server. */
interface Implementation {
  readonly check: (call: ServerUnaryCall<Request, object>, send: sendUnaryData<object>) => void;
  readonly watch: (call: ServerWritableStream<Request, object>) => void;
  readonly list: (call: ServerUnaryCall<object, object>, send: sendUnaryData<object>) => void;
}

/** The server as a whole, and its one service. */
const services = ['', serviceName];

/** `grpc.health.v1.Health`: SERVING as long as the server is ready. */
export class Health {
  readonly #models: Models;
  readonly #peers: Peers;
  readonly #watches = new Set<ServerWritableStream<Request, object>>();

  constructor(models: Models, peers: Peers) {
    this.#models = models;
    this.#peers = peers;
  }

  addTo(server: Server): void {
    const { HealthImplementation } = this.#peers.healthCheck;
    const health = new HealthImplementation();
    let isServing: boolean | undefined;
    const update = (): void => {
      if (isServing === this.#models.isReady) return;
      isServing = this.#models.isReady;
      for (const name of services) health.setStatus(name, isServing ? 'SERVING' : 'NOT_SERVING');
    };
    update();
    this.#models.whenReady().then(update, update);
    this.#models.draining.addEventListener('abort', update);
    health.addToServer({
      addService: (
        definition: Parameters<Server['addService']>[0],
        { check, watch, list }: Implementation,
      ) => {
        server.addService(definition, {
          check: (call: ServerUnaryCall<Request, object>, send: sendUnaryData<object>) => {
            update();
            check(call, send);
          },
          watch: (call: ServerWritableStream<Request, object>) => {
            this.#follow(call);
            // It would keep every name that it is asked for.
            if (services.includes(call.request.service)) watch(call);
            else call.write({ status: 'SERVICE_UNKNOWN' });
          },
          list,
        });
      },
    } as unknown as Parameters<typeof health.addToServer>[0]);
  }

  #follow(call: ServerWritableStream<Request, object>): void {
    this.#watches.add(call);
    call.once('cancelled', () => this.#watches.delete(call));
  }

  /** Ends the streams of those who watch, who would keep their connections for ever. */
  endWatches(): void {
    for (const call of this.#watches)
      call.emit('error', { code: this.#peers.grpc.status.UNAVAILABLE, details: 'The server ends' });
    this.#watches.clear();
  }
}
