import type { IncomingMessage } from 'node:http';

import { GhostNetError } from '../../errors.js';
import { badRequest, errorOf, statusOf } from '../faults.js';
import type { Serving } from '../model.js';
import { filesOf, type FormFile } from './multipart.js';
import { errorBody } from './respond.js';

const parameters = ['topK', 'model', 'version'];

/** What `POST /classify` answers. */
interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Classifies the file that is the body, or the files of a form: one gives an object, several a list. */
export async function classify(
  serving: Serving,
  request: IncomingMessage,
  query: URLSearchParams,
  body: Buffer,
  signal: AbortSignal,
  report: (error: unknown) => void,
): Promise<Answer> {
  const { info } = serving.model;
  for (const name of query.keys()) {
    if (parameters.includes(name)) continue;
    throw badRequest('The address has an unknown parameter', {
      found: JSON.stringify(name.slice(0, 40)),
      expected: parameters.join(', '),
    });
  }
  const topK = topKOf(query, info.numClasses);
  const type = request.headers['content-type'] ?? '';
  const files: readonly Partial<FormFile>[] = /^multipart\/form-data/i.test(type)
    ? await filesOf(type, body, serving.mostImages)
    : [{ bytes: body }];
  if (body.byteLength === 0)
    throw badRequest('The request has no body', {
      expected: 'an image file, as in `curl --data-binary @photo.jpg`',
    });
  serving.checkCount(files.length);
  const bytes = files.map((file) => file.bytes ?? new Uint8Array());
  const settled = await Promise.allSettled(serving.images(bytes, { wants: ['classes'], topK, signal }));
  const answers = settled.map((result, position) => {
    const named = files[position]?.name === undefined ? {} : { file: files[position].name };
    if (result.status === 'rejected') {
      const error = errorOf(result.reason, report);
      return { status: statusOf(error), error, body: { ...named, ...errorBody(error) } };
    }
    const { classes } = result.value;
    return { status: 200, body: { ...named, model: serving.name, version: serving.version, classes } };
  });
  const [first] = answers;
  if (first !== undefined && answers.length === 1) {
    if (first.error !== undefined) throw first.error;
    return { status: 200, body: first.body };
  }
  // The list tells of each file; its status is that of the first only if none succeeded.
  const isAny = answers.some(({ status }) => status === 200);
  return { status: isAny ? 200 : (first?.status ?? 200), body: answers.map((answer) => answer.body) };
}

function topKOf(query: URLSearchParams, numClasses: number): number {
  if (numClasses === 0) {
    throw new GhostNetError('GHOSTNET_NO_CLASSIFIER', 'The network has no classifier', {
      remedy: 'Ask for the output embedding at /v2/models/<name>/infer.',
    });
  }
  const text = query.get('topK');
  if (text === null) return Math.min(5, numClasses);
  const topK = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (topK >= 1 && topK <= numClasses) return topK;
  throw badRequest('The parameter topK has the wrong value', {
    found: JSON.stringify(text.slice(0, 40)),
    expected: `a whole number from 1 to ${numClasses}, the number of classes`,
  });
}
