import { isUrl } from '../check/kinds.js';
import { invalidArgument } from '../check/option.js';
import { GhostNetError } from '../errors.js';
import { chunksOfFile, chunksOfStream } from './chunks.js';
import { emptyLine, longLine, unreadable } from './faults.js';
import { linesOf, tooLong, type Line } from './lines.js';
import type { RawPath } from './raw-path.js';
import type { ListedFault, SourceList } from './source.js';
import { targetOf, type Target } from './target.js';

/** A path, and where it leads. */
export interface Place {
  readonly path: RawPath;
  readonly target: Target;
}

/** How many lines are looked at together. */
const atOnce = 256;

/** The paths of a list. Lines that are none, and a list that cannot be read, are entries with an error. */
export async function* placesIn(
  list: SourceList,
  signal: AbortSignal,
): AsyncGenerator<Place | ListedFault, undefined> {
  const name = nameOf(list);
  let line = 0;
  try {
    for await (const lines of linesOf(chunksOf(list, signal), separatorOf(list))) {
      signal.throwIfAborted();
      for (let start = 0; start < lines.length; start += atOnce) {
        for (const [path, target] of await targetsOf(lines.slice(start, start + atOnce))) {
          line += 1;
          if (path === tooLong) yield longLine(name, line);
          else if (path === '') yield emptyLine(name, line);
          else yield { path, target };
        }
      }
    }
  } catch (cause) {
    if (signal.aborted) throw cause;
    yield cause instanceof GhostNetError ? { name, error: cause } : unreadable('list', name, cause);
  }
}

/** Whether a source is a list. @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT` for an unknown separator */
export function isList(source: unknown): source is SourceList {
  if (typeof source !== 'object' || source === null || !('filesFrom' in source)) return false;
  separatorOf(source as SourceList);
  const { filesFrom } = source;
  if (typeof filesFrom === 'string' || isUrl(filesFrom)) return true;
  return typeof filesFrom === 'object' && filesFrom !== null && Symbol.asyncIterator in filesFrom;
}

function separatorOf({ separator = '\n' }: SourceList): '\n' | '\0' {
  if ((separator as string) === '\n' || separator === '\0') return separator;
  throw invalidArgument('The separator of a list has an unknown value', separator, "'\\n' or '\\0'");
}

function chunksOf({ filesFrom }: SourceList, signal: AbortSignal): AsyncIterable<Buffer> {
  if (typeof filesFrom === 'string' || isUrl(filesFrom)) return chunksOfFile(filesFrom);
  return chunksOfStream(filesFrom, signal);
}

function targetsOf(lines: readonly Line[]): Promise<[Line, Target][]> {
  return Promise.all(
    lines.map(async (line) => [line, line === tooLong || line === '' ? {} : await targetOf(line)]),
  );
}

/** What a list is called in messages. */
function nameOf({ filesFrom }: SourceList): string {
  if (typeof filesFrom === 'string') return filesFrom;
  if (isUrl(filesFrom)) return filesFrom.href;
  if (filesFrom === process.stdin) return '-';
  return 'path' in filesFrom && typeof filesFrom.path === 'string' ? filesFrom.path : '(stream)';
}
