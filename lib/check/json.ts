import { GhostNetError } from '../errors.js';

/** The most characters of a description: enough for 200,000 labels. */
export const longestJson = 2 ** 22;

/** The most lists, objects and keys of a description, in which strings count that contain such a character. */
const mostParts = 100_000;

/** Whether parsing a text costs no more than its length: lists, objects and keys take far more memory than their characters. */
export function isCheapJson(text: string): boolean {
  return text.length <= longestJson && text.split(/[[{:]/, mostParts + 1).length <= mostParts;
}

/**
 * Parses a JSON object that cannot be trusted.
 *
 * @param where - what holds the text, in messages
 * @throws {@link GhostNetError} `GHOSTNET_MALFORMED_FILE`
 */
export function parseObject(text: string, where: string): Readonly<Record<string, unknown>> {
  if (!isCheapJson(text)) {
    throw new GhostNetError('GHOSTNET_MALFORMED_FILE', `${where} is too long`, {
      found: `${text.length} characters`,
      expected: `at most ${longestJson}, and at most ${mostParts} lists, objects and keys`,
    });
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new GhostNetError('GHOSTNET_MALFORMED_FILE', `${where} is not JSON`, { cause });
  }
  if (isObject(parsed)) return parsed;
  throw new GhostNetError('GHOSTNET_MALFORMED_FILE', `${where} is not an object`);
}

/** Whether a value of JSON is an object, and not a list. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
