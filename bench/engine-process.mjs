import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { peakMemory } from './machine.mjs';

const folder = fileURLToPath(new URL('engines/', import.meta.url));
const interpreters = { '.mjs': process.execPath, '.py': 'python3' };

/** The engine with which the others are compared. */
export const ours = 'ghostnet';

/** The names of all engines, ours first. */
export function engineNames() {
  const names = readdirSync(folder)
    .filter((file) => extname(file) in interpreters)
    .map((file) => basename(file, extname(file)))
    .sort();
  return [ours, ...names.filter((name) => name !== ours)];
}

/** Thrown if an engine says that it cannot take part on this machine. */
export class EngineUnavailable extends Error {}

/** An engine in its own process; engines/README.md describes the protocol. */
export class EngineProcess {
  #engine;
  #child;
  #replies;
  #log = '';
  #spawnError;

  /**
   * @param {string} engine one of engineNames(), or the name of a file in the folder without its ending
   * @param {string} from the folder, if it is not that of the forward benchmark
   */
  constructor(engine, from = folder) {
    this.#engine = engine;
    const file = readdirSync(from).find((name) => basename(name, extname(name)) === engine);
    this.#child = spawn(interpreters[extname(file)], [join(from, file)], { stdio: 'pipe' });
    this.#child.on('error', (error) => (this.#spawnError = error));
    // Writing to an engine that has ended fails; the end of its replies gives a better error.
    this.#child.stdin.on('error', () => undefined);
    this.#child.stderr.setEncoding('utf8').on('data', (text) => (this.#log += text));
    this.#replies = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Sends a request and waits for its reply. */
  async request(name, fields = {}, { timeoutSeconds = 120 } = {}) {
    this.#child.stdin.write(`${JSON.stringify({ do: name, ...fields })}\n`);
    const timeout = setTimeout(() => {
      this.#log += `no reply to ${name} within ${timeoutSeconds} s`;
      this.#child.kill('SIGKILL');
    }, timeoutSeconds * 1000);
    const { value: line, done } = await this.#replies.next();
    clearTimeout(timeout);
    if (done && this.#spawnError?.code === 'ENOENT') {
      throw new EngineUnavailable(`${this.#spawnError.path} is not installed on this machine`);
    }
    if (done) throw this.#failure(`ended before it replied to ${name}`);
    const reply = this.#parse(line);
    if (reply.unavailable !== undefined) throw new EngineUnavailable(reply.unavailable);
    if (reply.error !== undefined) throw this.#failure(reply.error);
    return reply;
  }

  /** Peak resident memory so far in MiB, or null. */
  peakMemory() {
    return peakMemory(this.#child.pid);
  }

  /** Ends the process. */
  async close() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    if (this.#spawnError !== undefined) return;
    const exit = once(this.#child, 'exit');
    this.#child.stdin.end();
    const timeout = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await exit;
    clearTimeout(timeout);
  }

  #parse(line) {
    try {
      return JSON.parse(line);
    } catch {
      throw this.#failure(`wrote a line that is not a reply: ${line}`);
    }
  }

  #failure(what) {
    const parts = [`${this.#engine}: ${what}`, this.#spawnError?.message, this.#log.trim()];
    return new Error(parts.filter(Boolean).join('\n'));
  }
}
