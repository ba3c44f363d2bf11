import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

/** Thrown by an engine that cannot take part on this machine, for a reason that is not a fault. */
export class Unavailable extends Error {}

/**
 * Implements the protocol of engines/README.md over stdin and stdout, for an engine in Node.js.
 *
 * @param {(options: { weights: string, onnx: string, values: Float32Array, shape: number[], threads: number }) =>
 *   Promise<{ name: string, settings: object, tolerance?: number, run: () => Promise<{ data: Float32Array, dispose: () => void }> }>} open
 */
export async function serve(open) {
  let engine;
  const handlers = {
    async open({ weights, onnx, input, shape, threads }) {
      const bytes = await readFile(input);
      const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
      engine = await open({ weights, onnx, values, shape, threads });
      return { name: engine.name, settings: engine.settings, tolerance: engine.tolerance };
    },
    async logits() {
      const output = await engine.run();
      const logits = Array.from(output.data);
      output.dispose();
      return { logits };
    },
    async time({ seconds, calls }) {
      const milliseconds = [];
      const end = performance.now() + seconds * 1000;
      while (milliseconds.length < calls || performance.now() < end) {
        const start = performance.now();
        const output = await engine.run();
        milliseconds.push(performance.now() - start);
        output.dispose();
      }
      return { milliseconds };
    },
  };
  await answer(handlers);
}

/**
 * Answers requests from stdin on stdout, one line of JSON each, until stdin ends.
 *
 * @param {Record<string, (request: object) => Promise<object>>} handlers by the name of the request
 */
export async function answer(handlers) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { do: name, ...request } = JSON.parse(line);
    const reply = await handlers[name](request).catch((error) =>
      error instanceof Unavailable ? { unavailable: error.message } : { error: error.stack },
    );
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  }
}
