import { Worker } from 'node:worker_threads';

import fc from 'fast-check';
import picomatch from 'picomatch';
import { describe, expect, it } from 'vitest';

import { listImages } from '../../lib/sources/list-images.js';
import { NameMatcher } from '../../lib/sources/name-matcher.js';
import { Tree } from '../support/tree.js';

const matches = (glob: string, name: string): boolean => new NameMatcher(glob).matches(name);

describe('the glob of a name', () => {
  const cases: [glob: string, fitting: string[], others: string[]][] = [
    ['*', ['a', 'a.jpg', '-'], ['.a']],
    ['.*', ['.a', '.jpg'], ['a', 'a.jpg']],
    ['*.jpg', ['a.jpg', 'a.b.jpg'], ['.jpg', '.a.jpg', 'a.jpgx', 'jpg']],
    ['a?c', ['abc', 'a.c', 'a😀c', 'a?c'], ['ac', 'abbc']],
    ['?a', ['aa', 'ba'], ['.a', 'a']],
    ['[a-c]x', ['ax', 'cx', '[a-c]x'], ['dx', '-x', 'x']],
    ['[!a-c]x', ['dx', '!x', '[x'], ['ax', 'bx', '.x']],
    ['[^a]x', ['bx', '^x'], ['ax']],
    ['[]a]x', [']x', 'ax'], ['[x', '[]x']],
    ['[!]]x', ['ax'], [']x']],
    ['[a-]x', ['ax', '-x'], ['bx']],
    ['[\\]a]x', [']x', 'ax'], ['\\x']],
    ['[α-ω]*', ['λ.jpg'], ['l.jpg']],
    ['photo[1]*', ['photo1.jpg', 'photo[1].jpg'], ['photo[2].jpg']],
    ['photo (1)*', ['photo (1).jpg'], ['photo 1.jpg']],
    ['{a,bc}*', ['a', 'bcd'], ['b', 'c']],
    ['{a,}x', ['ax', 'x'], ['bx']],
    ['{a,{b,c}d}?', ['ax', 'bdx', 'cdx'], ['bx', 'a']],
    ['{a}*', ['{a}b'], ['ab']],
    ['x{1..3}*', ['x1.jpg', 'x3'], ['x4', 'x']],
    ['{1..12}*', ['{1..12}.jpg'], ['1.jpg', '12.jpg']],
    ['{a,b*', ['{a,bc'], ['a', 'b']],
    ['@(a|b*c)', ['a', 'bc', 'bxc'], ['b', 'ab']],
    ['?(a)b', ['b', 'ab'], ['aab']],
    ['+(a|bc)d', ['ad', 'abcad'], ['d', 'bd']],
    ['*(a|bc)d', ['d', 'bcd', 'aabcd'], ['cd']],
    ['!(a|b).jpg', ['c.jpg', 'ab.jpg'], ['a.jpg', 'b.jpg', '.c.jpg']],
    ['!(*.jpg)', ['a.png', 'jpg'], ['a.jpg', '.a']],
    ['@(a|!(b|c)d)', ['a', 'bbd', 'd'], ['bd', 'cd', 'b']],
    ['@(a', ['@(a'], ['a']],
    ['*(a', ['x(a', '(a'], ['a']],
    ['@(a(1)|b)', ['a(1)', 'b'], ['a1']],
    ['a\\*?', ['a*b'], ['abb', 'a*']],
    ['\\{a,b\\}*', ['{a,b}c'], ['ac']],
    ['a*\\', ['a\\', 'ab\\'], ['a']],
    ['*|a', ['b|a'], ['a', 'b']],
    ['"a"*', ['"a"b'], ['ab']],
    ['a]?\\\\\\\\', ['a]b\\\\'], ['a]b', 'a]b\\']],
  ];
  it.each(cases)('%s', (glob, fitting, others) => {
    expect([...fitting, ...others].filter((name) => matches(glob, name))).toEqual(fitting);
  });

  it('means what it means to picomatch, where that can be said in a regular expression', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 2 });
    const simple = fc.oneof(text, fc.constantFrom('[ab]', '[!a]', '[a-b]', '.'));
    const several = fc.array(simple, { minLength: 1, maxLength: 2 }).map((parts) => parts.join(''));
    const some = fc.array(several, { minLength: 2, maxLength: 3 });
    const group = fc
      .tuple(fc.constantFrom('@', '+', '*', '?'), some)
      .map(([repeat, names]) => `${repeat}(${names.join('|')})`);
    const braces = some.map((names) => `{${names.join(',')}}`);
    const part = fc.oneof({ arbitrary: simple, weight: 3 }, fc.constantFrom('*', '?'), group, braces);
    const globs = fc
      .tuple(text, fc.array(part, { maxLength: 5 }))
      .map(([first, rest]) => first + rest.join(''));
    const names = fc.tuple(text, fc.string({ unit: fc.constantFrom('a', 'b', 'c', '.'), maxLength: 6 }));
    fc.assert(
      fc.property(globs, fc.array(names, { minLength: 8, maxLength: 8 }), (glob, given) => {
        // To picomatch, a wildcard after a bracket or another wildcard repeats it, and two dots are a range.
        fc.pre(!/[)\]}*?][*?@+]|\.\./.test(glob));
        const options = {
          nonegate: true,
          windows: false,
          maxExtglobRecursion: false,
        } as picomatch.PicomatchOptions;
        const expression = picomatch.makeRe(glob.replaceAll('[!', '[^'), options);
        for (const name of given.map(([first, rest]) => first + rest)) {
          expect([name, matches(glob, name)]).toEqual([name, expression.test(name)]);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a glob takes no longer than its size', () => {
  const mostMs = 5_000;

  /** The first glob that is not done with in time; a glob that never ends does so with its worker. */
  async function firstSlow(folder: string, globs: string[]): Promise<string | undefined> {
    const worker = new Worker(new URL('../support/list-globs.mjs', import.meta.url), {
      workerData: { folder, globs },
    });
    let done = 0;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      // The worker itself takes its time to begin.
      timer = setTimeout(resolve, 4 * mostMs);
      worker.on('message', () => {
        done += 1;
        clearTimeout(timer);
        timer = setTimeout(resolve, mostMs);
      });
      worker.on('error', reject);
      worker.on('exit', () => {
        resolve();
      });
    }).finally(() => {
      clearTimeout(timer);
      return worker.terminate();
    });
    return globs[done];
  }

  const long = ['a'.repeat(250), `${'x'.repeat(240)}.png`, `a]x${'\\'.repeat(4)}`, 'ab'.repeat(100)];

  it('whatever it looks like', async () => {
    using tree = new Tree(long);
    const known = ['a]?\\\\\\\\', '+(x**).jpg', `${'*a'.repeat(60)}b`, `${'*(a|aa)'.repeat(20)}b`];
    const nested = [`${'+('.repeat(40)}a*${')'.repeat(40)}b`, `*(${'!(a)*(a)'.repeat(40)})b`];
    const random = fc.sample(
      fc.string({ unit: fc.constantFrom(...Array.from('ab]?\\*+(){[,|!@x')), minLength: 1, maxLength: 24 }),
      { numRuns: 1_000, seed: 13 },
    );
    expect(await firstSlow(tree.root, [...known, ...nested, ...random])).toBeUndefined();
  });

  it('or is rejected', async () => {
    using tree = new Tree(['a.jpg']);
    const globs = [
      '{a/,b/}'.repeat(12),
      '@('.repeat(101),
      `${'a'.repeat(20_000)}*`,
      `{${'a/,'.repeat(1_001)}}`,
    ];
    for (const glob of globs) {
      const entries = [];
      for await (const { error } of listImages(tree.at(glob)))
        entries.push([error?.code, error?.what.includes('as a glob')]);
      expect(entries).toEqual([['GHOSTNET_INVALID_ARGUMENT', true]]);
    }
  });
});
