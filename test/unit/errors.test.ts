import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { errorCatalogue, GhostNetError, type ErrorCode } from 'ghostnet';
import { describe, expect, it } from 'vitest';

import { root } from '../support/child.js';
import { errorOf } from '../support/errors.js';

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

  it('shows what could act on a terminal or forge a line of a log, and shortens what is long', () => {
    const error = new GhostNetError('GHOSTNET_DISPOSED', `a\x1b[2J\n${'b'.repeat(5_000)}c`, {
      found: '\u202ed',
    });
    expect(error.message).toMatch(/^a\\x1b\[2J\\nb{200,}…b+c\. /);
    expect(error.found).toBe('\\u202ed');
    expect(error.message.length).toBeLessThan(1_000);
    // Names of arrays and their shapes, five of each kind.
    const list = 'blocks.0.0.ghost1.primary_conv.1.running_mean is [12,1], expected [12], '.repeat(15);
    expect(new GhostNetError('GHOSTNET_PARAMETERS_MISMATCH', 'x', { found: list }).found).toBe(list);
  });

  const throwing = {
    get found(): string {
      throw new Error('no entry');
    },
  };
  const { proxy: revoked, revoke } = Proxy.revocable({}, {});
  revoke();
  const known = 'GHOSTNET_DISPOSED';
  it.each<[string, unknown[]]>([
    ['no code', []],
    ['an unknown code', ['GHOSTNET_NONSENSE', 'It is gone']],
    ['the name of a method of objects as code', ['toString', 'It is gone']],
    ['a symbol as code', [Symbol('x'), 'It is gone']],
    ['a list with a code', [[known], 'It is gone']],
    ['an object as code that cannot be a string', [Object.create(null), 'It is gone']],
    ['a code with a megabyte', [known.padEnd(2 ** 20, '\x1b'), 'It is gone']],
    ['no problem', [known]],
    ['a number as problem', [known, 5]],
    ['an object that cannot be a string', [known, Object.create(null)]],
    ['null as details', [known, 'It is gone', null]],
    ['text as details', [known, 'It is gone', 'found']],
    ['a number that was found', [known, 'It is gone', { found: 5 }]],
    ['a getter that throws', [known, 'It is gone', throwing]],
    ['a revoked proxy', [known, 'It is gone', revoked]],
  ])('is GHOSTNET_INVALID_ARGUMENT itself if it is made of %s', async (_, args) => {
    const error = await errorOf(() => Reflect.construct(GhostNetError, args) as unknown);
    expect(error.code).toBe('GHOSTNET_INVALID_ARGUMENT');
    expect(error.message).not.toContain('\x1b');
    expect(error.message.length).toBeLessThan(1_000);
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
