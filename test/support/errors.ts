import { GhostNetError } from 'ghostnet';

/** The GhostNetError that an action throws or that rejects its promise. Anything else fails the test. */
export async function errorOf(action: () => unknown): Promise<GhostNetError> {
  try {
    await action();
  } catch (error) {
    if (error instanceof GhostNetError) return error;
    throw error;
  }
  throw new Error('No error was thrown');
}

/** The code of that error. */
export async function codeOf(action: () => unknown): Promise<string> {
  return (await errorOf(action)).code;
}
