import { badRequest } from '../faults.js';

/** A file of a form. */
export interface FormFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * The files of a multipart form, under whatever field names; other fields are left aside. Node's own parser reads it.
 *
 * @throws {@link GhostNetError} `GHOSTNET_BAD_REQUEST`
 */
export async function filesOf(contentType: string, body: Uint8Array): Promise<FormFile[]> {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- discouraged because it holds the body, which is in memory and bounded
  const form = await new Response(body, { headers: { 'content-type': contentType } }).formData().catch(() => {
    throw badRequest('The body of the request is no multipart form', {
      found: `${body.byteLength} bytes`,
      expected:
        'parts between the boundaries that the Content-Type names, as `curl -F image=@photo.jpg` sends them',
    });
  });
  const files: FormFile[] = [];
  for (const [, value] of form) {
    if (typeof value === 'string') continue;
    files.push({ name: value.name, bytes: new Uint8Array(await value.arrayBuffer()) });
  }
  if (files.length > 0) return files;
  throw badRequest('The form has no file', { expected: 'a file, as in `curl -F image=@photo.jpg`' });
}
