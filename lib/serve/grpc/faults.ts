import type { StatusObject } from '@grpc/grpc-js';

import type { GhostNetError } from '../../errors.js';
import { shortened } from '../../text.js';
import { statusOf } from '../faults.js';
import type { Peers } from './peers.js';

type Code = keyof Peers['grpc']['status'];

/** The status in gRPC of each status in HTTP. */
const codes: Readonly<Partial<Record<number, Code>>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  404: 'NOT_FOUND',
  413: 'INVALID_ARGUMENT',
  415: 'INVALID_ARGUMENT',
  422: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  501: 'UNIMPLEMENTED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

/** The metadata behind a failed call that has the code of the error. */
const codeKey = 'ghostnet-code';

/** The most characters of a message: it is a header, in which a character may take nine bytes, and clients refuse headers of 8 KB. */
const longestMessage = 800;

/** An error as gRPC sends it. */
export function grpcStatusOf({ grpc }: Peers, error: GhostNetError): StatusObject {
  const metadata = new grpc.Metadata();
  metadata.set(codeKey, error.code);
  const code = grpc.status[codes[statusOf(error)] ?? 'INTERNAL'];
  return { code, details: wellFormed(shortened(error.message, longestMessage)), metadata };
}

/** Without halves of characters, which cannot be sent. */
const wellFormed = (text: string): string => Buffer.from(text).toString();
