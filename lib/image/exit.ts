import { isMainThread } from 'node:worker_threads';

import { native } from '../native/load.js';

/** The function that ends process.exit(), after the listeners of 'exit'. */
interface Exiting {
  reallyExit: (code: number) => never;
}

/**
 * Lets process.exit() end the process while libuv's threads decode. Node.js waits for them otherwise: for seconds with a large picture,
 * for minutes with some documents. A worker thread ends without them anyway.
 *
 * @param isDecoding - whether one decodes
 */
export function exitDuring(isDecoding: () => boolean): void {
  if (!isMainThread) return;
  process.once('exit', () => {
    if (!isDecoding()) return;
    (process as unknown as Exiting).reallyExit = (code) => native().exit(code);
  });
}
