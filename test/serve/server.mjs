// The command `ghostnet serve` in a process of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** How long a server may take to load its models, or to end, in milliseconds. */
const patienceMs = 60_000;

export class ServerProcess {
  /** What it has printed, line after line. */
  lines = [];
  #child;
  #ended;

  constructor(...args) {
    const command = [join('dist', 'cli', 'main.js'), 'serve', '--port', '0', '--grpc-port', '0', ...args];
    this.#child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#ended = once(this.#child, 'exit');
    for (const stream of [this.#child.stdout, this.#child.stderr])
      createInterface({ input: stream }).on('line', (line) => this.lines.push(line));
  }

  /** @returns the addresses, as host:port, when the models are ready */
  async whenReady() {
    const deadline = performance.now() + patienceMs;
    while (!this.lines.some((line) => line.includes(': ready after '))) {
      if (this.#child.exitCode !== null || performance.now() > deadline)
        throw new Error(`The server did not start:\n${this.lines.join('\n')}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const text = this.lines.join('\n');
    return {
      http: /listening at http:\/\/(\S+)/.exec(text)?.[1],
      grpc: /listening for gRPC at (\S+)/.exec(text)?.[1],
    };
  }

  /** Ends it as an orchestrator does. @returns what was wrong with its end, undefined if nothing was */
  async end() {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), patienceMs);
    const [status, signal] = await this.#ended;
    clearTimeout(timer);
    if (status !== 0) return `it ended with ${signal ?? status}:\n${this.lines.join('\n')}`;
    const unexpected = this.lines.filter((line) => !line.startsWith('ghostnet: '));
    return unexpected.length > 0 ? `it printed:\n${unexpected.join('\n')}` : undefined;
  }

  /** Ends it at once, whatever has happened. */
  kill() {
    this.#child.kill('SIGKILL');
  }
}
