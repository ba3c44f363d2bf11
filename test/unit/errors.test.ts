import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { errorCatalogue, GhostNetError, type ErrorCode } from 'ghostnet';
import { describe, expect, it } from 'vitest';

import { root } from '../support/child.js';

const codes = Object.keys(errorCatalogue) as ErrorCode[];

describe('GhostNetError', () => {
  it('states the problem, the expected value, the value found and the remedy', () => {
    const cause = new Error('behind it');
    const error = new GhostNetError('GHOSTNET_BAD_SHAPE', 'A shape is wrong', {
      expected: '[N,3,H,W]',
      found: '[1]',
      remedy: 'Pass another.',
      cause,
    });
    expect(error.message).toBe('A shape is wrong. Expected [N,3,H,W]. Found [1]. Pass another.');
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'GhostNetError',
      code: 'GHOSTNET_BAD_SHAPE',
      expected: '[N,3,H,W]',
      found: '[1]',
      remedy: 'Pass another.',
      cause,
    });
    expect(String(error)).toMatch(/^GhostNetError: A shape is wrong/);
  });

  it('differs from a class that extends it', () => {
    class Narrower extends GhostNetError {}
    const error = new GhostNetError('GHOSTNET_DISPOSED', 'It is gone');
    const narrower = new Narrower('GHOSTNET_DISPOSED', 'It is gone');
    expect(error instanceof Narrower).toBe(false);
    expect(narrower instanceof Narrower).toBe(true);
    expect(narrower instanceof GhostNetError).toBe(true);
  });

  it('uses the remedy of its code by default, and omits unknown details', () => {
    const error = new GhostNetError('GHOSTNET_DISPOSED', 'It is gone');
    expect(error.message).toBe(`It is gone. ${errorCatalogue.GHOSTNET_DISPOSED.remedy}`);
    expect(error.found).toBeUndefined();
    expect(error.expected).toBeUndefined();
    expect('cause' in error).toBe(false);
  });
});

describe('the catalogue', () => {
  it.each(codes)('%s has a meaning and a remedy in sentences', (code) => {
    expect(code).toMatch(/^GHOSTNET_[A-Z_]+$/);
    const { meaning, remedy } = errorCatalogue[code];
    expect(meaning).toMatch(/^[A-Z`].*\.$/s);
    expect(remedy).toMatch(/^[A-Z`].*\.$/s);
  });

  it.each(codes)('%s is in docs/errors.md, as `npm run docs` writes it', (code) => {
    const { meaning, remedy } = errorCatalogue[code];
    expect(readFileSync(new URL('docs/errors.md', root), 'utf8')).toContain(
      `## ${code}\n\n${meaning}\n\n**What to do:** ${remedy}\n`,
    );
  });

  it.each(codes)('%s has a test', (code) => {
    const self = fileURLToPath(import.meta.url);
    const tests = ['test', 'native/test'].flatMap((folder) =>
      readdirSync(new URL(folder, root), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && /[._]test\.(ts|cpp)$/.test(entry.name))
        .map(({ parentPath, name }) => `${parentPath}/${name}`)
        .filter((path) => path !== self),
    );
    const named = new RegExp(`\\b${code}\\b`);
    expect(tests.filter((path) => named.test(readFileSync(path, 'utf8')))).not.toEqual([]);
  });
});
