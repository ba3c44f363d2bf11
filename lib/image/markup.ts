import { TextDecoder } from 'node:util';
import { constants, gunzipSync } from 'node:zlib';

/** How far the root element of a text may be from its beginning to be recognised. */
const longestProlog = 65_536;

/**
 * The name of the root element of XML or HTML, in small letters without its prefix: `svg`. Empty if it is too far from the
 * beginning, undefined if the bytes are no markup.
 */
export function rootElementOf(bytes: Uint8Array): string | undefined {
  const text = textOf(bytes.subarray(0, longestProlog)).trimStart();
  if (!/^<[\w!?]/.test(text)) return undefined;
  return nameOf(withoutProlog(text));
}

/** The first bytes of what gzip compressed; empty if it is damaged. */
export function decompressedHead(bytes: Uint8Array): Uint8Array {
  try {
    // DEFLATE makes at most 1,032 bytes of one.
    return gunzipSync(bytes.subarray(0, 4096), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return new Uint8Array();
  }
}

function textOf(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  return new TextDecoder().decode(bytes);
}

/** What follows the XML declaration, comments and the document type. */
function withoutProlog(text: string): string {
  let rest = text;
  while (/^<[!?]/.test(rest)) {
    const end = /^<!doctype\s/i.test(rest) ? endOfDoctype(rest) : endOf(rest);
    if (end === -1) return '';
    rest = rest.slice(end).trimStart();
  }
  return rest;
}

function endOf(rest: string): number {
  const mark = rest.startsWith('<!--') ? '-->' : rest.startsWith('<?') ? '?>' : '>';
  const at = rest.indexOf(mark);
  return at === -1 ? -1 : at + mark.length;
}

function endOfDoctype(rest: string): number {
  const [subset, close] = [rest.indexOf('['), rest.indexOf('>')];
  if (subset === -1 || close < subset) return close === -1 ? -1 : close + 1;
  const end = rest.indexOf(']', subset);
  const closed = end === -1 ? -1 : rest.indexOf('>', end);
  return closed === -1 ? -1 : closed + 1;
}

function nameOf(text: string): string {
  return /^<(?:[\w.-]+:)?([\w.-]+)/.exec(text)?.[1]?.toLowerCase() ?? '';
}
