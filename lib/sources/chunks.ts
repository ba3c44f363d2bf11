import { fstat, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import { isatty } from 'node:tty';
import { promisify } from 'node:util';

import { GhostNetError } from '../errors.js';
import { pathOf } from '../files.js';

/**
 * The bytes of a file, a portion at a time. The file is closed at the end, and when the reader stops early.
 *
 * @throws {@link GhostNetError} `GHOSTNET_FILE_UNREADABLE` for a device that is no terminal
 */
export async function* chunksOfFile(file: string | URL): AsyncGenerator<Buffer, void> {
  const portion = 0x10000;
  const path = pathOf(file);
  const handle = await open(path);
  try {
    checkEnds(path, await handle.stat(), handle.fd);
    for (;;) {
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(portion), 0, portion, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/**
 * The bytes of a stream. It is destroyed when the reader stops early, or when the signal fires.
 *
 * @throws {@link GhostNetError} `GHOSTNET_FILE_UNREADABLE` for standard input that is a device and no terminal
 */
export async function* chunksOfStream(
  stream: NodeJS.ReadableStream,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void> {
  const { destroy } = stream as { destroy?: () => void };
  const stop = (): void => destroy?.call(stream);
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (stream === process.stdin) checkEnds('-', await promisify(fstat)(0), 0);
    for await (const chunk of stream) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** A FIFO has a writer, and a terminal a user, who come to an end; `/dev/zero` does not. */
function checkEnds(name: string, stats: Stats, fd: number): void {
  const isDevice = stats.isCharacterDevice() || stats.isBlockDevice();
  if (!isDevice || isatty(fd)) return;
  throw new GhostNetError('GHOSTNET_FILE_UNREADABLE', `The list ${name} cannot be read`, {
    found: 'a device',
    expected: 'a file, a FIFO or a terminal',
    remedy: 'Write the paths to a file, or to standard input through a pipe.',
  });
}
