// The commands of the package, as processes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** All that commands have printed: no password may be in it. */
export const printed = [];

/** A process of the suite. */
export class Running {
  /** @param under - a command with arguments that starts node */
  constructor(args, { cwd, under = [], script = cli, env = {}, input } = {}) {
    const [command, ...rest] = [...under, process.execPath, script, ...args];
    this.child = spawn(command, rest, {
      cwd,
      env: { ...process.env, ...env },
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    if (input !== undefined) this.child.stdin.end(input);
    this.isCommand = script === cli;
    this.stdout = '';
    this.stderr = '';
    this.child.stdout.setEncoding('utf8').on('data', (text) => (this.stdout += text));
    this.child.stderr.setEncoding('utf8').on('data', (text) => (this.stderr += text));
    this.ended = once(this.child, 'close').then(([code, signal]) => {
      printed.push(this.stdout, this.stderr);
      return { code: signal ?? code, stdout: this.stdout, stderr: this.stderr };
    });
  }

  get isRunning() {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  signal(name) {
    this.child.kill(name);
    return this.ended;
  }
}

/** Runs a command to its end. @throws {Error} if its code is another one */
export async function ghostnet(args, options = {}, expected = 0) {
  const { code, stdout, stderr } = await new Running(args, options).ended;
  if (code !== expected) throw new Error(`ghostnet ${args[0]} ended with ${code}: ${stderr}`);
  return {
    stdout,
    stderr,
    lines:
      stdout.trim() === ''
        ? []
        : stdout
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line)),
  };
}

/** A worker that is started again when it is killed, as a supervisor does. */
export class Kept {
  constructor(start) {
    this.start = start;
    this.deaths = 0;
    this.isOver = false;
    this.#run();
  }

  #run() {
    this.running = this.start();
    void this.running.ended.then(() => {
      if (this.isOver) return;
      this.deaths += 1;
      this.#run();
    });
  }

  kill() {
    return this.running.signal('SIGKILL');
  }

  /** Ends the worker, once it is there: before, nothing of it hears the signal. */
  async stop() {
    this.isOver = true;
    const { running } = this;
    while (running.isRunning && !/working/.test(running.stderr) && running.isCommand) await sleep(50);
    return running.signal('SIGTERM');
  }
}
