import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { root, type Ended } from './child.js';

/** The JavaScript programs of a page: all blocks of code in that language, by the names in their first lines. */
export function examplesOf(page: string): Map<string, string> {
  const markdown = readFileSync(new URL(page, root), 'utf8');
  const blocks = [...markdown.matchAll(/^```(?:js|ts|javascript|typescript)\n(.*?)^```$/gms)];
  return new Map(
    blocks.map(([, code = '']) => {
      const name = /^\/\/ (\S+\.mjs)\n/.exec(code)?.[1];
      if (name === undefined) throw new Error(`${page} has a program without a name: ${code}`);
      return [name, code];
    }),
  );
}

/** Writes the programs of a page into a folder in which the package is installed, as a reader would. */
export function writeExamples(page: string, folder: string): void {
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  symlinkSync(fileURLToPath(root), join(folder, 'node_modules', 'ghostnet'));
  for (const [name, code] of examplesOf(page)) writeFileSync(join(folder, name), code);
}

/** A program that runs. */
export interface Program {
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly stdout: Readable;
  readonly ended: Promise<Ended>;
}

/** Starts a program of a folder. */
export function start(
  folder: string,
  name: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Program {
  const child = spawn(process.execPath, [name, ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: 'pipe',
  });
  // A program that has ended reads no more.
  child.stdin.on('error', () => undefined);
  const exit = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => {
      resolve(code ?? signal ?? 'nothing');
    });
  });
  const ended = Promise.all([exit, text(child.stdout), text(child.stderr)]).then(
    ([code, stdout, stderr]) => ({ code, stdout, stderr }),
  );
  return { process: child, stdout: child.stdout, ended };
}

/** Runs a program of a folder to its end. */
export async function runExample(folder: string, name: string, args: readonly string[] = []): Promise<Ended> {
  const program = start(folder, name, args);
  program.process.stdin.end();
  return program.ended;
}
