import type { GhostNetError } from '../../errors.js';
import { shortened } from '../../text.js';
import { badRequest } from '../faults.js';

/** A file of a form. */
export interface FormFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * The files of a multipart form, under whatever field names; other fields are left aside. Node's own parser reads it.
 *
 * @param most - parts, counted before anything is parsed: each costs far more memory than its bytes
 * @throws {@link GhostNetError} `GHOSTNET_BAD_REQUEST`
 */
export async function filesOf(contentType: string, body: Buffer, most: number): Promise<FormFile[]> {
  const delimiter = delimiterIn(contentType);
  const start = delimiter === undefined ? -1 : body.indexOf(delimiter);
  if (delimiter === undefined || start < 0) throw noForm(body);
  checkParts(body, delimiter, start, most);
  // What stands before the first part is for people whose mail program knows no parts.
  const parts = body.subarray(start);
  const response = new Response(parts, { headers: { 'content-type': contentType } });
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- discouraged because it holds the body, which is in memory and bounded
  const form = await response.formData().catch(() => {
    throw noForm(body);
  });
  const files: FormFile[] = [];
  for (const [, value] of form) {
    if (typeof value === 'string') continue;
    files.push({
      name: shortened(value.name, longestName),
      bytes: new Uint8Array(await value.arrayBuffer()),
    });
  }
  if (files.length > 0) return files;
  throw badRequest('The form has no file', { expected: 'a file, as in `curl -F image=@photo.jpg`' });
}

/** The most characters of a file's name in an answer. */
const longestName = 255;

/** What begins each part: two hyphens and the boundary, which may be in quotes. */
function delimiterIn(contentType: string): string | undefined {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  return boundary === undefined ? undefined : `--${boundary}`;
}

function checkParts(body: Buffer, delimiter: string, start: number, most: number): void {
  let parts = 0;
  for (let at = start; at >= 0; at = body.indexOf(delimiter, at + delimiter.length)) parts += 1;
  // The last delimiter ends the form.
  if (parts - 1 <= most) return;
  throw badRequest('The form has too many parts', {
    found: String(parts - 1),
    expected: `at most ${most}, the option maxQueue of the server`,
  });
}

function noForm(body: Buffer): GhostNetError {
  return badRequest('The body of the request is no multipart form', {
    found: `${body.byteLength} bytes`,
    expected:
      'parts between the boundaries that the Content-Type names, as `curl -F image=@photo.jpg` sends them',
  });
}
