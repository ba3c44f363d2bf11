import { GhostNetError } from '../errors.js';

// The errors of a pipeline itself.

export function closed(reason?: unknown): GhostNetError {
  return new GhostNetError('GHOSTNET_CLOSED', 'The pipeline is closed', { cause: reason });
}

export function queueFull(maxQueue: number): GhostNetError {
  return new GhostNetError('GHOSTNET_QUEUE_FULL', 'The queue of the pipeline is full', {
    found: `${maxQueue} images, the option maxQueue`,
  });
}

export function timedOut(milliseconds = 0): GhostNetError {
  return new GhostNetError('GHOSTNET_TIMEOUT', 'The image waited too long for its computation', {
    found: `more than ${milliseconds} ms, the option timeoutMs`,
  });
}
