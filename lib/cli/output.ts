import { once } from 'node:events';

import type { GhostNetError } from '../errors.js';
import { harmless, harmlessJson } from '../text.js';

// All text of the command line goes out here. File names, labels, metadata and messages come from others, and what a terminal takes
// for a command would act on it.

/** Prints a line of text to standard output. */
export function print(text: string): void {
  process.stdout.write(`${harmless(text)}\n`);
}

/** Prints a path to standard output: as it is, unless that is a terminal, since a program will use it. */
export function printPath(path: string): void {
  process.stdout.write(`${process.stdout.isTTY ? harmless(path) : path}\n`);
}

/** Prints a value as a line of JSON to standard output. Waits for a slow reader, so that results do not accumulate in memory. */
export async function printJson(value: unknown): Promise<void> {
  // JSON itself escapes the first 32 characters alone.
  const line = harmlessJson(JSON.stringify(value));
  if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain');
}

/** Prints a line of text to standard error. */
export function report(text: string): void {
  process.stderr.write(`${harmless(text)}\n`);
}

/** Prints an error to standard error, with its code. @param subject - what it concerns, if the message does not say */
export function reportError(
  { message, code }: Pick<GhostNetError, 'message' | 'code'>,
  subject?: string,
): void {
  report(`ghostnet: ${subject === undefined ? '' : `${subject}: `}${message} [${code}]`);
}
