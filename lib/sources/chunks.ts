import { open } from 'node:fs/promises';

import { pathOf } from '../files.js';

/** The bytes of a file, a portion at a time. The file is closed at the end, and when the reader stops early. */
export async function* chunksOfFile(file: string | URL): AsyncGenerator<Buffer, void> {
  const portion = 0x10000;
  const handle = await open(pathOf(file));
  try {
    for (;;) {
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(portion), 0, portion, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** The bytes of a stream. It is destroyed when the reader stops early, or when the signal fires. */
export async function* chunksOfStream(
  stream: NodeJS.ReadableStream,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void> {
  const { destroy } = stream as { destroy?: () => void };
  const stop = (): void => destroy?.call(stream);
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of stream) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
