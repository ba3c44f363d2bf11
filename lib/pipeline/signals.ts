// One listener per signal, however many images wait for it: Node reports many listeners as a leak.
const listening = new WeakMap<AbortSignal, Set<(reason: unknown) => void>>();

/** Calls `abort` with the reason of the signal when it fires. @returns a function that ends the listening */
export function onAbort(signal: AbortSignal, abort: (reason: unknown) => void): () => void {
  let all = listening.get(signal);
  if (all === undefined) {
    all = new Set();
    listening.set(signal, all);
    signal.addEventListener('abort', fire);
  }
  all.add(abort);
  const callbacks = all;
  return () => {
    callbacks.delete(abort);
    if (callbacks.size > 0 || listening.get(signal) !== callbacks) return;
    listening.delete(signal);
    signal.removeEventListener('abort', fire);
  };
}

function fire(this: AbortSignal): void {
  const callbacks = listening.get(this) ?? [];
  listening.delete(this);
  this.removeEventListener('abort', fire);
  for (const abort of callbacks) abort(this.reason);
}
