import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  createReadStream,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { GhostNetError } from '../../lib/errors.js';
import { countsInWords } from '../../lib/sources/formats.js';
import { linesOf, longestLine, tooLong } from '../../lib/sources/lines.js';
import { listImages } from '../../lib/sources/list-images.js';
import { Lister } from '../../lib/sources/lister.js';
import type { Listed, Source } from '../../lib/sources/source.js';
import { root, runScriptForJson } from '../support/child.js';
import { Tree, type Leaf } from '../support/tree.js';

const isRoot = process.getuid?.() === 0;
const isLinux = process.platform === 'linux';
const missing = 'GHOSTNET_FILE_NOT_FOUND';
const unreadable = 'GHOSTNET_FILE_UNREADABLE';

async function entriesOf(listing: AsyncIterable<Listed>): Promise<Listed[]> {
  const entries: Listed[] = [];
  for await (const entry of listing) entries.push(entry);
  return entries;
}

/** The names that a listing gives, without the root of the tree, and the codes of errors behind them. */
async function told(tree: Tree, sources: Parameters<typeof listImages>[0]): Promise<string[]> {
  return (await entriesOf(listImages(sources))).map((entry) => inWords(tree, entry));
}

function inWords(tree: Tree, { name, error }: Listed): string {
  const short = name.replace(`${tree.root}/`, '').replace(tree.root, '');
  return error === undefined ? short : `${short}: ${error.code}`;
}

/** The error of the only entry of a listing. */
async function errorOf(sources: Parameters<typeof listImages>[0]): Promise<GhostNetError> {
  const [entry, ...others] = await entriesOf(listImages(sources));
  expect(others).toEqual([]);
  if (entry?.error === undefined) throw new Error('No entry with an error');
  return entry.error;
}

/** Files and folders below the root of a tree that this process has open. */
function openIn(tree: Tree): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(tree.root) ? [path] : [];
    } catch {
      return [];
    }
  });
}

/** Runs something as a user who may not read everything: as nobody if this process is root's. */
async function asOrdinaryUser(run: () => Promise<void>): Promise<void> {
  const nobody = 65534;
  if (isRoot) process.seteuid?.(nobody);
  try {
    await run();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

/** Leaves the loop over a listing after a number of images, and returns what a function says before that. */
async function leave<T>(listing: AsyncIterable<Listed>, after: number, last: () => T): Promise<T> {
  let seen = 0;
  for await (const { error } of listing) {
    expect(error).toBeUndefined();
    seen += 1;
    if (seen === after) return last();
  }
  throw new Error(`The listing ended after ${seen}`);
}

describe('listImages', () => {
  it('lists files, folders, globs, URLs and lists, one after another', async () => {
    using tree = new Tree(['photos/b.jpg', 'photos/a/c.png', 'one.dat', 'list.txt']);
    writeFileSync(tree.at('list.txt'), `${tree.at('photos/b.jpg')}\n`);
    const sources = [
      tree.at('one.dat'),
      tree.at('photos'),
      pathToFileURL(tree.at('one.dat')),
      tree.at('photos/**/*.png'),
      { filesFrom: tree.at('list.txt') },
      tree.at('one.dat'),
    ];
    expect(await told(tree, sources)).toEqual([
      'one.dat',
      'photos/a/c.png',
      'photos/b.jpg',
      'one.dat',
      'photos/a/c.png',
      'photos/b.jpg',
      'one.dat',
    ]);
  });

  it('takes one source as well, and gives it a path that can be opened', async () => {
    using tree = new Tree(['photos/é.jpg']);
    writeFileSync(tree.at('photos/é.jpg'), 'pixels');
    const url = pathToFileURL(tree.at('photos'));
    for (const source of [tree.at('photos'), url, { filesFrom: Readable.from([`${tree.at('photos')}\n`]) }]) {
      const [entry] = await entriesOf(listImages(source));
      expect(entry).toEqual({ name: tree.at('photos/é.jpg'), path: tree.at('photos/é.jpg') });
      expect(readFileSync(entry?.path ?? '', 'utf8')).toBe('pixels');
    }
  });

  it('names what is in a folder after the folder as it was given, without ./ and extra slashes', async () => {
    using tree = new Tree(['in/a.jpg', 'in/below/b.jpg']);
    const before = process.cwd();
    process.chdir(tree.at('in'));
    try {
      for (const [source, names] of [
        ['.', ['a.jpg', 'below/b.jpg']],
        ['./', ['a.jpg', 'below/b.jpg']],
        ['.//./below//', ['below/b.jpg']],
        ['below', ['below/b.jpg']],
        ['*', ['a.jpg', 'below/b.jpg']],
        ['./*.jpg', ['a.jpg']],
        ['.//below/*.jpg', ['below/b.jpg']],
        ['**/b.*', ['below/b.jpg']],
        ['../*/below', ['../in/below/b.jpg']],
        ['..', ['../in/a.jpg', '../in/below/b.jpg']],
        ['./a.jpg', ['./a.jpg']],
      ] as const) {
        expect([source, await told(tree, source)]).toEqual([source, names]);
      }
    } finally {
      process.chdir(before);
    }
  });

  it('asks for a source when the one before has been listed', async () => {
    using tree = new Tree(['a.jpg', 'b.jpg', 'c.jpg']);
    const asked: string[] = [];
    function* sources(): Generator<Source> {
      for (const name of ['a.jpg', 'b.jpg', 'c.jpg']) {
        asked.push(name);
        yield tree.at(name);
      }
    }
    const seen: string[][] = [];
    for await (const { name } of listImages(sources())) {
      seen.push([...asked]);
      if (name.endsWith('b.jpg')) break;
    }
    expect(seen).toEqual([['a.jpg'], ['a.jpg', 'b.jpg']]);
  });

  it('refuses what is no source', async () => {
    for (const sources of [5, null, {}, undefined]) {
      expect(() => listImages(sources as never)).toThrow(GhostNetError);
    }
    expect(() => listImages('a.jpg', { signal: 'now' as never })).toThrow(/signal/);
    for (const source of [5, null, {}, Buffer.from('a.jpg'), { filesFrom: 5 }, { filesFrom: {} }]) {
      await expect(entriesOf(listImages([source as never]))).rejects.toMatchObject({
        code: 'GHOSTNET_INVALID_ARGUMENT',
      });
    }
    const separator = ';' as never;
    await expect(entriesOf(listImages({ filesFrom: 'list', separator }))).rejects.toThrow(/separator/);
  });

  it('closes the sources of the caller when it ends early', async () => {
    let closed = false;
    async function* sources(): AsyncGenerator<Source> {
      try {
        for (;;) {
          await setImmediate();
          yield 'nothing.jpg';
        }
      } finally {
        closed = true;
      }
    }
    for await (const { error } of listImages(sources())) {
      expect(error?.code).toBe(missing);
      break;
    }
    expect(closed).toBe(true);
  });
});

describe('a folder', () => {
  it('is listed in the order of the bytes of the paths', async () => {
    // In UTF-16 the emoji, which begins with D83D, would come before FF21.
    const paths = [
      'Z.jpg',
      'a-b/x.jpg',
      'a.jpg',
      'a/x.jpg',
      'a/z/y.jpg',
      'a0/x.jpg',
      'b.jpg',
      'É.jpg',
      'Ａ.jpg',
      '😀.jpg',
    ];
    using tree = new Tree([...paths].reverse());
    const bytewise = [...paths].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(await told(tree, tree.root)).toEqual(bytewise);
    expect(bytewise.indexOf('a-b/x.jpg')).toBeLessThan(bytewise.indexOf('a/x.jpg'));
  });

  it('has the images of all formats that are read, in capital and small letters, and no other files', async () => {
    const images = ['jpg', 'jpeg', 'JPE', 'jfif', 'png', 'WebP', 'avif', 'gif', 'tif', 'TIFF'].map(
      (e) => `x.${e}`,
    );
    using tree = new Tree([...images, 'notes.txt', 'jpg', 'x.jpg.txt', 'x.', 'README', 'x.pdf']);
    expect(await told(tree, tree.root)).toEqual([...images].sort());
  });

  it('has pictures in other formats, which are counted', async () => {
    using tree = new Tree([
      'a.jpg',
      'b.heic',
      'c.HEIC',
      'd.bmp',
      'e/f.jp2',
      'e/g.txt',
      'e/.h.heic',
      'e/i.CR2',
    ]);
    tree.add('j.heic', { linkTo: 'b.heic' });
    const listing = listImages(tree.root);
    expect((await entriesOf(listing)).map((entry) => inWords(tree, entry))).toEqual(['a.jpg']);
    expect(Object.fromEntries(listing.skipped)).toEqual({ '.heic': 3, '.bmp': 1, '.jp2': 1, '.cr2': 1 });
    expect(countsInWords(listing.skipped)).toBe('3 .heic, 1 .bmp, 1 .cr2, 1 .jp2');
  });

  it('has no hidden files and folders, unless they are named', async () => {
    using tree = new Tree(['.a.jpg', '.b/c.jpg', 'd.jpg', 'e/.f.jpg']);
    expect(await told(tree, tree.root)).toEqual(['d.jpg']);
    expect(await told(tree, [tree.at('.a.jpg'), tree.at('.b')])).toEqual(['.a.jpg', '.b/c.jpg']);
  });

  it('without images is an error that tells what there is', async () => {
    using tree = new Tree([
      'empty/',
      'texts/notes.txt',
      'phone/a.heic',
      'phone/b/c.heic',
      'phone/d.bmp',
      'e/f.jpg',
    ]);
    expect(await told(tree, tree.at('empty'))).toEqual([`empty: ${missing}`]);
    expect((await errorOf(tree.at('texts'))).message).toMatch(/texts contains no images.*Expected .*\.jpg/);
    const listing = listImages([tree.at('e'), tree.at('phone')]);
    const [, entry] = await entriesOf(listing);
    expect(entry?.error).toMatchObject({ code: missing, found: '2 .heic, 1 .bmp' });
    expect(entry?.error?.remedy).toContain('Convert');
    expect(countsInWords(listing.skipped)).toBe('2 .heic, 1 .bmp');
  });

  it('beyond a number of entries is listed in the order of its file system, as often as one likes', async () => {
    const images = Array.from({ length: 1200 }, (_, index) => `${(index * 7919) % 1200}.jpg`);
    using tree = new Tree([...images, 'below/b.jpg', 'below/a.jpg', 'notes.txt', 'x.heic']);
    const lister = (most: number): Promise<Listed[]> =>
      entriesOf(new Lister(new AbortController().signal, most).list([tree.root]));
    const [few, many, again] = [await lister(1201), await lister(1200), await lister(1200)];
    const names = few.map(({ name }) => name);
    expect(names).toEqual([...names].sort());
    expect(names).toHaveLength(1202);
    expect(many).toEqual(again);
    // A folder with few entries is sorted wherever it is.
    const below = many.map((entry) => inWords(tree, entry)).filter((name) => name.startsWith('below'));
    expect(below).toEqual(['below/a.jpg', 'below/b.jpg']);
    const order = readdirSync(tree.root).filter((name) => /jpg$|below/.test(name));
    const tops = many.map((entry) => inWords(tree, entry).replace(/below.*/, 'below'));
    // readdirSync sorts nothing, but Node does not promise it.
    if (order.join() !== [...order].sort().join()) expect([...new Set(tops)]).toEqual(order);
  });

  it('may have FIFOs, sockets and devices, which are never opened', async () => {
    using tree = new Tree({
      'a.jpg': 'FIFO',
      'b.jpg': 'file',
      'c.jpg': { linkTo: '/dev/zero' },
      'd.jpg': { linkTo: 'a.jpg' },
    });
    const server = createServer().listen(tree.at('s.jpg'));
    await once(server, 'listening');
    try {
      expect(await told(tree, tree.root)).toEqual(['b.jpg']);
    } finally {
      server.close();
    }
  });

  it('is named twice, or below another: its images are listed once, and that is no error', async () => {
    using tree = new Tree(['a/b/c.jpg', 'a/b/d.jpg']);
    const [a, b] = [tree.at('a'), tree.at('a/b')];
    expect(await told(tree, [a, a, `${a}/`, b])).toEqual(['a/b/c.jpg', 'a/b/d.jpg']);
    expect(await told(tree, [b, a])).toEqual(['a/b/c.jpg', 'a/b/d.jpg']);
    expect(await told(tree, [a, tree.at('a/b/c.jpg'), tree.at('a/b/c.jpg')])).toEqual([
      'a/b/c.jpg',
      'a/b/d.jpg',
      'a/b/c.jpg',
      'a/b/c.jpg',
    ]);
  });

  it('is walked to any depth', async () => {
    const depth = 1000;
    using tree = new Tree([]);
    tree.add(`${'d/'.repeat(depth)}a.jpg`);
    expect(await told(tree, tree.root)).toEqual([`${'d/'.repeat(depth)}a.jpg`]);
  });

  it.runIf(isLinux)('is walked as deep as paths go, and says where that is', async () => {
    using tree = new Tree(['a.jpg', 'z.jpg']);
    const half = Array<string>(30).fill('d'.repeat(100)).join('/');
    tree.add(`${half}/b.jpg`);
    tree.add(`x/${half}/c.jpg`);
    // Longer than any path that the system takes.
    renameSync(tree.at('x'), tree.at(`${half}/x`));
    const entries = await told(tree, tree.root);
    spawnSync('rm', ['-rf', tree.at(half.slice(0, 100))]);
    expect(entries.map((entry) => entry.slice(-40))).toEqual([
      'a.jpg',
      `${half}/b.jpg`.slice(-40),
      expect.stringMatching(/^d+: GHOSTNET_FILE_UNREADABLE$/),
      'z.jpg',
    ]);
  });

  it('that vanishes during the walk is an entry, and the rest goes on', async () => {
    using tree = new Tree(['a.jpg', 'b/c.jpg', 'd/e.jpg', 'f.jpg']);
    const entries: string[] = [];
    for await (const entry of listImages(tree.root)) {
      if (entries.length === 0) rmSync(tree.at('b'), { recursive: true });
      entries.push(inWords(tree, entry));
    }
    expect(entries).toEqual(['a.jpg', `b: ${missing}`, 'd/e.jpg', 'f.jpg']);
  });

  it('that cannot be read is an entry, and the rest goes on', async () => {
    using tree = new Tree(['a.jpg', 'b/c.jpg', 'd/e.jpg', 'f/g/h.jpg']);
    chmodSync(tree.root, 0o755);
    chmodSync(tree.at('b'), 0);
    chmodSync(tree.at('f'), 0o644); // can be listed, but not entered
    await asOrdinaryUser(async () => {
      expect(await told(tree, tree.root)).toEqual([
        'a.jpg',
        `b: ${unreadable}`,
        'd/e.jpg',
        `f/g: ${unreadable}`,
      ]);
      expect(await told(tree, [tree.at('b'), tree.at('b/c.jpg')])).toEqual([
        `b: ${unreadable}`,
        `b/c.jpg: ${unreadable}`,
      ]);
      expect(await told(tree, tree.at('*/*.jpg'))).toEqual([`b: ${unreadable}`, 'd/e.jpg']);
      expect(await told(tree, tree.at('b/*.jpg'))).toEqual([`b/*.jpg: ${unreadable}`]);
      expect(await told(tree, tree.at('{b/x,d}/*.jpg'))).toEqual([`b/x: ${unreadable}`, 'd/e.jpg']);
    });
    chmodSync(tree.at('b'), 0o700);
    chmodSync(tree.at('f'), 0o700);
  });
});

describe('links', () => {
  it('to files and folders are followed', async () => {
    using tree = new Tree({
      'photos/a.jpg': { linkTo: '../store/1' },
      'photos/b': { linkTo: '../store/more' },
      'photos/c.jpg': { linkTo: '../store/more' },
      'photos/notes.txt': { linkTo: '../store/1' },
      'store/1': 'file',
      'store/more/x.png': 'file',
    });
    // The folder is walked under the name that comes first.
    expect(await told(tree, tree.at('photos'))).toEqual(['photos/a.jpg', 'photos/b/x.png']);
  });

  it('that make a circle end', async () => {
    using tree = new Tree({
      'a/b/c.jpg': 'file',
      'a/b/up': { linkTo: '../..' },
      'a/b/self': { linkTo: '.' },
    });
    expect(await told(tree, tree.at('a'))).toEqual(['a/b/c.jpg']);
    expect(await told(tree, tree.root)).toEqual(['a/b/c.jpg']);
    expect(await told(tree, tree.at('**/*.jpg'))).toEqual(['a/b/c.jpg']);
  });

  it('between many folders lead to each folder once', async () => {
    const folders = Array.from({ length: 12 }, (_, index) => `d${index}`);
    const leaves: Record<string, Leaf> = { 'd0/a.jpg': 'file' };
    for (const from of folders) for (const to of folders) leaves[`${from}/l-${to}`] = { linkTo: `../${to}` };
    using tree = new Tree(leaves);
    expect(await told(tree, tree.root)).toEqual(['d0/a.jpg']);
    expect(await told(tree, tree.at('**/*.jpg'))).toEqual(['d0/a.jpg']);
  });

  it('that lead nowhere are entries', async () => {
    using tree = new Tree({
      'a.jpg': { linkTo: 'gone' },
      b: { linkTo: '/nowhere/at/all' },
      'c.jpg': { linkTo: 'c.jpg' },
      'd.jpg': 'file',
      '.e': { linkTo: 'gone' },
    });
    expect(await told(tree, tree.root)).toEqual([
      `a.jpg: ${missing}`,
      `b: ${missing}`,
      `c.jpg: ${unreadable}`,
      'd.jpg',
    ]);
    expect(await told(tree, [tree.at('a.jpg'), tree.at('*.jpg')])).toEqual([
      `a.jpg: ${missing}`,
      `a.jpg: ${missing}`,
      `c.jpg: ${unreadable}`,
      'd.jpg',
    ]);
  });
});

describe('a named path', () => {
  it('that is missing, empty or has a zero byte is an entry', async () => {
    using tree = new Tree(['a.jpg']);
    const sources = ['x.jpg', 'a.jpg/', 'a.jpg/b', 'no/x.jpg', 'a\0.jpg'].map((name) => tree.at(name));
    expect(await told(tree, [...sources, '', tree.at('a.jpg')])).toEqual([
      `x.jpg: ${missing}`,
      `a.jpg/: ${missing}`,
      `a.jpg/b: ${missing}`,
      `no/x.jpg: ${missing}`,
      `a\0.jpg: ${missing}`,
      `: ${missing}`,
      'a.jpg',
    ]);
  });

  it('that is too long for the system is an entry', async () => {
    using tree = new Tree(['a.jpg']);
    const long = tree.at('x'.repeat(5000));
    const entries = await entriesOf(listImages([long, tree.at('a.jpg'), `${long}*`]));
    expect(entries.map(({ error }) => error?.code)).toEqual([unreadable, undefined, missing]);
  });

  it('that is a FIFO, a socket or a device is an entry at once', async () => {
    using tree = new Tree({ fifo: 'FIFO', link: { linkTo: 'fifo' } });
    const server = createServer().listen(tree.at('socket'));
    await once(server, 'listening');
    try {
      const paths = [tree.at('fifo'), tree.at('link'), tree.at('socket'), '/dev/zero'];
      const errors = (await entriesOf(listImages(paths))).map(({ error }) => error);
      expect(errors.map((error) => [error?.code, error?.found])).toEqual([
        [unreadable, 'a FIFO'],
        [unreadable, 'a FIFO'],
        [unreadable, 'a socket'],
        [unreadable, 'a device'],
      ]);
    } finally {
      server.close();
    }
  });

  it('is no http: URL', async () => {
    const url = new URL('https://example.com/a.jpg');
    const entries = await entriesOf(listImages([url]));
    expect(entries.map(({ name, error }) => [name, error?.code])).toEqual([
      [url.href, 'GHOSTNET_INVALID_ARGUMENT'],
    ]);
  });
});

describe('a glob', () => {
  const paths = [
    '.hidden/h.jpg',
    'a.jpg',
    'a.png',
    'b (1).jpg',
    'b1.jpg',
    'c[1].jpg',
    'data.bin',
    'x/.h.jpg',
    'x/a.jpg',
    'x/notes.txt',
    'x/y/a.jpg',
    'x/y/z/a.jpg',
    'z/a.jpg',
    'z/b.heic',
  ];
  const cases: [glob: string, matches: string[]][] = [
    ['*.jpg', ['a.jpg', 'b (1).jpg', 'b1.jpg', 'c[1].jpg']],
    ['?.{jpg,png}', ['a.jpg', 'a.png']],
    [
      '*',
      [
        'a.jpg',
        'a.png',
        'b (1).jpg',
        'b1.jpg',
        'c[1].jpg',
        'data.bin',
        'x/a.jpg',
        'x/y/a.jpg',
        'x/y/z/a.jpg',
        'z/a.jpg',
      ],
    ],
    ['**', paths.filter((path) => !/(^|\/)\./.test(path))],
    ['**/a.jpg', ['a.jpg', 'x/a.jpg', 'x/y/a.jpg', 'x/y/z/a.jpg', 'z/a.jpg']],
    ['x/**/a.jpg', ['x/a.jpg', 'x/y/a.jpg', 'x/y/z/a.jpg']],
    ['**/y/**/*.jpg', ['x/y/a.jpg', 'x/y/z/a.jpg']],
    ['**/**/z/*.jpg', ['x/y/z/a.jpg', 'z/a.jpg']],
    ['*/*.jpg', ['x/a.jpg', 'z/a.jpg']],
    ['*/y', ['x/y/a.jpg', 'x/y/z/a.jpg']],
    ['**/y', ['x/y/a.jpg', 'x/y/z/a.jpg']],
    ['[xz]/', ['x/a.jpg', 'x/y/a.jpg', 'x/y/z/a.jpg', 'z/a.jpg']],
    ['[!x]/*.jpg', ['z/a.jpg']],
    ['x/*', ['x/a.jpg', 'x/notes.txt', 'x/y/a.jpg', 'x/y/z/a.jpg']],
    ['{z,x/y}/*.jpg', ['z/a.jpg', 'x/y/a.jpg']],
    ['{z,x/{y,y/z}}/a.jpg', ['z/a.jpg', 'x/y/a.jpg', 'x/y/z/a.jpg']],
    ['{z/a.jpg,x/y}', ['z/a.jpg', 'x/y/a.jpg', 'x/y/z/a.jpg']],
    ['{nothing/*,a}.jpg', ['a.jpg']],
    ['{a,nothing/*}.jpg', ['a.jpg']],
    ['.h*/*.jpg', ['.hidden/h.jpg']],
    ['.hidden/*', ['.hidden/h.jpg']],
    ['x/.*', ['x/.h.jpg']],
    ['**/.*.jpg', ['x/.h.jpg']],
    ['b (1)*', ['b (1).jpg']],
    ['b(1)*', [`b(1)*: ${missing}`]],
    ['b (1).jpg', ['b (1).jpg']],
    ['c[1].jpg', ['c[1].jpg']],
    ['c\\[1\\].*', ['c[1].jpg']],
    ['c[1]*', ['c[1].jpg']],
    ['!a*', [`!a*: ${missing}`]],
    ['@(a|b1).jpg', ['a.jpg', 'b1.jpg']],
    ['z/*.heic', ['z/b.heic']],
    ['z/*.tif', [`z/*.tif: ${missing}`]],
    ['no/*.jpg', [`no/*.jpg: ${missing}`]],
    ['a.jpg/*', [`a.jpg/*: ${missing}`]],
    ['d (1).jpg', [`d (1).jpg: ${missing}`]],
    ['d[1].jpg', [`d[1].jpg: ${missing}`]],
    ['{d,e}.jpg', [`{d,e}.jpg: ${missing}`]],
    ['{d/e,f}', [`{d/e,f}: ${missing}`]],
    ['{', [`{: ${missing}`]],
    ['a{b/*.jpg', [`a{b/*.jpg: ${missing}`]],
  ];
  it.each(cases)('%s', async (glob, matches) => {
    using tree = new Tree(paths);
    expect(await told(tree, tree.at(glob))).toEqual(matches);
  });

  it('has characters that stand for themselves', async () => {
    using tree = new Tree(['k[1]/a.jpg', 'k1/b.jpg', '{k,l/m}/c.jpg', 'k/d.jpg']);
    expect(await told(tree, tree.at('k\\[1\\]/*.jpg'))).toEqual(['k[1]/a.jpg']);
    expect(await told(tree, tree.at('\\{k,l/m\\}/*.jpg'))).toEqual(['{k,l/m}/c.jpg']);
    expect(await told(tree, tree.at('\\{k,l/m}/*.jpg'))).toEqual(['{k,l/m}/c.jpg']);
    expect(await told(tree, tree.at('{k,l/m\\}/*.jpg'))).toEqual(['{k,l/m}/c.jpg']);
  });

  it('goes nowhere but where it can match', async () => {
    using tree = new Tree(['a/b/c.jpg', 'a/d/e/f.jpg', 'g/h.jpg']);
    // These links would be told if they were looked at.
    tree.add('a/d/gone', { linkTo: 'nowhere' });
    tree.add('g/gone', { linkTo: 'nowhere' });
    tree.add('a/b/gone', { linkTo: 'nowhere' });
    expect(await told(tree, tree.at('a/*/*.jpg'))).toEqual(['a/b/c.jpg']);
  });

  it('finds what a link to a folder hides from it', async () => {
    // By way of `1`, which comes first, the folder does not match; by its own name it does.
    using tree = new Tree({ '1': { linkTo: 'best' }, 'best/a.jpg': 'file', 'x/best': { linkTo: '../best' } });
    expect(await told(tree, tree.at('**/best/*.jpg'))).toEqual(['best/a.jpg']);
    expect(await told(tree, tree.at('*/best/*.jpg'))).toEqual(['x/best/a.jpg']);
  });

  it('that matches a folder searches it like a folder that is named', async () => {
    using tree = new Tree(['photos/a.jpg', 'photos/b.txt', 'photos/c.heic', 'phone/d.heic']);
    expect(await told(tree, [tree.at('photos'), tree.at('phot*')])).toEqual(['photos/a.jpg']);
    const listing = listImages([tree.at('phot*'), tree.at('phon*')]);
    const [first, second] = await entriesOf(listing);
    expect(first?.name).toBe(tree.at('photos/a.jpg'));
    expect(second?.error).toMatchObject({ code: missing, found: '1 .heic' });
    expect(countsInWords(listing.skipped)).toBe('2 .heic');
  });

  it('are SVG, unless documents are asked for', async () => {
    using tree = new Tree(['a.jpg', 'b.svg', 'c.SVGZ', 'd.pdf']);
    const without = listImages(tree.root);
    expect((await entriesOf(without)).map((entry) => inWords(tree, entry))).toEqual(['a.jpg']);
    expect(countsInWords(without.skipped)).toBe('1 .svg, 1 .svgz');
    const listing = listImages(tree.root, { documents: true });
    expect((await entriesOf(listing)).map((entry) => inWords(tree, entry))).toEqual([
      'a.jpg',
      'b.svg',
      'c.SVGZ',
    ]);
    expect(listing.skipped.size).toBe(0);
  });
});

describe('a list', () => {
  const list = (...chunks: (string | Buffer)[]): Readable => Readable.from(chunks, { objectMode: false });

  it('is a file, a URL or a stream, of lines that end as on any system', async () => {
    using tree = new Tree(['a.jpg', 'b c.jpg', 'd/e.jpg']);
    const lines = [tree.at('a.jpg'), tree.at('b c.jpg'), tree.at('d'), tree.at('*.jpg')];
    const expected = ['a.jpg', 'b c.jpg', 'd/e.jpg', `*.jpg: ${missing}`];
    for (const text of [lines.join('\n'), `${lines.join('\r\n')}\r\n`, `\uFEFF${lines.join('\n')}\n`]) {
      writeFileSync(tree.at('list'), text);
      expect(await told(tree, { filesFrom: tree.at('list') })).toEqual(expected);
      expect(await told(tree, { filesFrom: pathToFileURL(tree.at('list')) })).toEqual(expected);
      expect(await told(tree, { filesFrom: createReadStream(tree.at('list')) })).toEqual(expected);
      expect(await told(tree, { filesFrom: list(text) })).toEqual(expected);
    }
    const zeros = { filesFrom: list(`${lines.join('\0')}\0`), separator: '\0' as const };
    expect(await told(tree, zeros)).toEqual(expected);
  });

  it('holds paths even if they look like globs: one entry a line', async () => {
    using tree = new Tree(['1.jpg', 'a.jpg', 'b.jpg', '[1].jpg', '{a,b}.jpg', 'a b (1).jpg', '**']);
    const lines = ['[1].jpg', '{a,b}.jpg', 'a b (1).jpg', '**', '[ab].jpg', '?.jpg'];
    const filesFrom = list(lines.map((line) => `${tree.at(line)}\n`).join(''));
    expect(await told(tree, { filesFrom })).toEqual([
      ...lines.slice(0, 4),
      `[ab].jpg: ${missing}`,
      `?.jpg: ${missing}`,
    ]);
  });

  it('may have names with line breaks if zero bytes separate them', async () => {
    using tree = new Tree(['a\nb.jpg', 'c\r']);
    const filesFrom = list([tree.at('a\nb.jpg'), tree.at('c\r')].join('\0'));
    expect(await told(tree, { filesFrom, separator: '\0' })).toEqual(['a\nb.jpg', 'c\r']);
  });

  it('says which lines are empty, missing, or no paths', async () => {
    using tree = new Tree(['a.jpg']);
    const a = tree.at('a.jpg');
    const text = `${a}\n\n${tree.at('gone.jpg')}\n\r\n${tree.at('x*')}\n${'y'.repeat(longestLine + 1)}\n${a}\n\n`;
    writeFileSync(tree.at('list'), text);
    expect(await told(tree, { filesFrom: tree.at('list') })).toEqual([
      'a.jpg',
      `list:2: ${missing}`,
      `gone.jpg: ${missing}`,
      `list:4: ${missing}`,
      `x*: ${missing}`,
      `list:6: ${missing}`,
      'a.jpg',
      `list:8: ${missing}`,
    ]);
    expect(await told(tree, { filesFrom: list('\n') })).toEqual([`(stream):1: ${missing}`]);
    expect(await told(tree, { filesFrom: list('') })).toEqual([]);
  });

  it('that cannot be read is an entry, and the other sources go on', async () => {
    using tree = new Tree(['a.jpg', 'folder/']);
    const broken = Readable.from(
      (function* () {
        yield Buffer.from(`${tree.at('a.jpg')}\n${tree.at('a.jpg')}`);
        throw new Error('cable pulled');
      })(),
      { objectMode: false },
    );
    const sources = [
      { filesFrom: tree.at('gone') },
      { filesFrom: tree.at('folder') },
      { filesFrom: new URL('http://example.com/list') },
      { filesFrom: broken },
      tree.at('a.jpg'),
    ];
    expect(await told(tree, sources)).toEqual([
      `gone: ${missing}`,
      `folder: ${unreadable}`,
      'http://example.com/list: GHOSTNET_INVALID_ARGUMENT',
      'a.jpg',
      `(stream): ${unreadable}`,
      'a.jpg',
    ]);
  });

  it.runIf(isLinux)('may be a FIFO, but no device without an end', async () => {
    using tree = new Tree({ 'a.jpg': 'file', fifo: 'FIFO' });
    const writer = spawn('sh', ['-c', 'echo "$1" > "$2"', '-', tree.at('a.jpg'), tree.at('fifo')]);
    expect(await told(tree, { filesFrom: tree.at('fifo') })).toEqual(['a.jpg']);
    if (writer.exitCode === null) await once(writer, 'exit');
    for (const separator of ['\n', '\0'] as const) {
      const { code, found } = await errorOf({ filesFrom: '/dev/zero', separator });
      expect([code, found]).toEqual([unreadable, 'a device']);
    }
    const { status, stdout } = spawnSync(
      'sh',
      ['-c', `"$1" dist/cli/main.js classify --files-from - < /dev/zero`, '-', process.execPath],
      { cwd: root, timeout: 20_000, encoding: 'utf8' },
    );
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ file: '-', error: { code: unreadable } });
  });

  it('with a line that is longer than any path says so in a few words', async () => {
    const { code, message } = await errorOf({ filesFrom: list('x'.repeat(5_000)) });
    expect(code).toBe(missing);
    expect(message).toContain('Line 1 of (stream) is no path');
    expect(message.length).toBeLessThan(1_000);
  });

  it('is listed while it is written', async () => {
    using tree = new Tree(['a.jpg', 'b.jpg']);
    const stream = new PassThrough();
    const listing = listImages({ filesFrom: stream });
    stream.write(`${tree.at('a.jpg')}\n${tree.at('b')}`);
    expect((await listing.next()).value?.name).toBe(tree.at('a.jpg'));
    stream.end('.jpg');
    expect((await listing.next()).value?.name).toBe(tree.at('b.jpg'));
    expect(await listing.next()).toEqual({ done: true, value: undefined });
  });

  it('is taken apart in the same way however its bytes arrive', async () => {
    const lines = fc.array(
      fc.string({ unit: fc.constantFrom('a', 'é', '\r', '\\', '/', '😀'), maxLength: 5 }),
    );
    const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(
        lines,
        fc.constantFrom('\n', '\r\n', '\0'),
        fc.boolean(),
        sizes,
        async (names, end, ends, steps) => {
          const bytes = Buffer.from(names.join(end) + (ends ? end : ''));
          function* chunks(): Generator<Buffer> {
            for (let at = 0, turn = 0; at < bytes.length; turn++) {
              const step = steps[turn % steps.length] ?? 1;
              yield bytes.subarray(at, at + step);
              at += step;
            }
          }
          const found: (string | symbol)[] = [];
          const separator = end === '\0' ? end : '\n';
          for await (const group of linesOf(Readable.from(chunks()), separator)) found.push(...group);
          const last = separator === '\0' ? /(?!)/ : /\r$/;
          const text = bytes.toString('latin1').split(separator);
          if (text.at(-1) === '') text.pop();
          expect(found).toEqual(text.map((line) => line.replace(last, '')));
        },
      ),
    );
  });

  it('keeps only the beginning of a line that is too long', async () => {
    // In all, longer than a string can be.
    const chunks = [...Array<Buffer>(9000).fill(Buffer.alloc(0x10001, 'x')), Buffer.from('\nshort')];
    const groups: (string | symbol)[][] = [];
    for await (const lines of linesOf(Readable.from(chunks))) groups.push(lines);
    expect(groups.flat()).toEqual([tooLong, 'short']);
  });

  it('of 400,000 lines needs no more memory than one of twenty thousand', async () => {
    const lines = 400_000;
    const { entries, grownKiB } = await runScriptForJson<{ entries: number; grownKiB: number }>(
      'list-memory.mjs',
      // Without the flag, newer versions of Node let the heap of short-lived objects grow.
      { args: [String(lines)], flags: ['--max-semi-space-size=16'], timeout: 300_000 },
    );
    expect(entries).toBe(lines);
    // To keep the names and entries takes 65 MB.
    expect(grownKiB).toBeLessThan(45_000);
  }, 300_000);
});

describe.runIf(isLinux)('names that are not UTF-8', () => {
  /** A tree with files that have these names, byte by byte. */
  function treeOf(...names: string[]): Tree {
    const tree = new Tree([]);
    for (const name of names) writeFileSync(Buffer.from(tree.at(name), 'latin1'), name, 'latin1');
    return tree;
  }

  it('are listed in folders, and have paths that can be opened', async () => {
    using tree = treeOf(
      'caf\xE9.jpg',
      'caf\xC3\xA9.jpg',
      '\xF0\x9F\x98\x80\xFF\xED\xA0\x80.JPG',
      'plain.jpg',
    );
    const entries = await entriesOf(listImages(tree.root));
    expect(entries.map((entry) => inWords(tree, entry))).toEqual([
      'café.jpg',
      'caf\\xE9.jpg',
      'plain.jpg',
      '😀\\xFF\\xED\\xA0\\x80.JPG',
    ]);
    for (const { path } of entries) {
      const bytes = Buffer.isBuffer(path) ? path : Buffer.from(path ?? '');
      expect(readFileSync(path ?? '', 'latin1')).toBe(bytes.toString('latin1').split('/').at(-1));
    }
    expect(entries.map(({ path }) => typeof path)).toEqual(['string', 'object', 'string', 'object']);
  });

  it('are folders, links and parts of globs, too', async () => {
    using tree = treeOf('a.jpg');
    const folder = Buffer.from(tree.at('d\xE9'), 'latin1');
    mkdirSync(folder);
    writeFileSync(Buffer.concat([folder, Buffer.from('/b\xE9.jpg', 'latin1')]), '');
    tree.add('e.jpg', { linkTo: 'a.jpg' });
    expect(await told(tree, tree.root)).toEqual(['a.jpg', 'd\\xE9/b\\xE9.jpg', 'e.jpg']);
    expect(await told(tree, tree.at('d*/b?.jpg'))).toEqual(['d\\xE9/b\\xE9.jpg']);
  });

  it('are lines of lists', async () => {
    using tree = treeOf('caf\xE9.jpg', 'x.jpg');
    const lines = ['caf\xE9.jpg', 'gone\xE9.jpg', 'caf\xE9*'].map((name) =>
      Buffer.from(`${tree.at(name)}\n`, 'latin1'),
    );
    const entries = await entriesOf(listImages({ filesFrom: Readable.from(lines, { objectMode: false }) }));
    expect(entries.map((entry) => inWords(tree, entry))).toEqual([
      'caf\\xE9.jpg',
      `gone\\xE9.jpg: ${missing}`,
      `caf\\xE9*: ${missing}`,
    ]);
    expect(readFileSync(entries[0]?.path ?? '', 'latin1')).toBe('caf\xE9.jpg');
  });

  it('as text that lost them have a hint', async () => {
    expect((await errorOf('caf\uFFFD.jpg')).remedy).toContain('UTF-8');
  });
});

describe('the end of a listing', () => {
  it.runIf(isLinux)(
    'closes what is open when the loop is left',
    async () => {
      using tree = new Tree(Array.from({ length: 20_000 }, (_, index) => `${index}.jpg`));
      writeFileSync(tree.at('list'), `${tree.at('1.jpg')}\n`.repeat(100));
      const openOnes = (): string[] => openIn(tree);
      expect(
        await leave(new Lister(new AbortController().signal, 10).list([tree.root]), 1, openOnes),
      ).toEqual([tree.root]);
      expect(openIn(tree)).toEqual([]);
      expect(await leave(listImages({ filesFrom: tree.at('list') }), 1, openOnes)).toEqual([tree.at('list')]);
      expect(openIn(tree)).toEqual([]);
      expect(await leave(listImages(tree.root), 5000, openOnes)).toEqual([]);
      const stream = createReadStream(tree.at('list'));
      await leave(listImages({ filesFrom: stream }), 1, openOnes);
      expect(stream.destroyed).toBe(true);
    },
    120_000,
  );

  it('comes at once when the signal fires: before, between and while it waits', async () => {
    using tree = new Tree(['a.jpg', 'b.jpg', 'c.jpg']);
    const reason = new Error('enough');
    const aborted = { code: 'GHOSTNET_ABORTED', cause: reason };
    const done = { done: true, value: undefined };

    const early = listImages(tree.root, { signal: AbortSignal.abort(reason) });
    await expect(early.next()).rejects.toMatchObject(aborted);
    expect(await early.next()).toEqual(done);

    const between = new AbortController();
    const listing = listImages(tree.root, { signal: between.signal });
    await listing.next();
    between.abort(reason);
    await expect(listing.next()).rejects.toMatchObject(aborted);
    expect(await listing.next()).toEqual(done);

    const waiting = new AbortController();
    const stream = new PassThrough();
    const list = listImages({ filesFrom: stream }, { signal: waiting.signal });
    const [first, second] = [list.next(), list.next()];
    await setTimeout(10);
    waiting.abort(reason);
    await expect(first).rejects.toMatchObject(aborted);
    expect(await second).toEqual(done);
    await expect.poll(() => stream.destroyed).toBe(true);
  });

  it('comes at once while the sources of the caller make it wait', async () => {
    async function* sources(): AsyncGenerator<Source> {
      yield await new Promise<string>(() => undefined);
    }
    const controller = new AbortController();
    const listing = listImages(sources(), { signal: controller.signal });
    const [first, second] = [listing.next(), listing.next()];
    controller.abort();
    await expect(first).rejects.toMatchObject({ code: 'GHOSTNET_ABORTED' });
    expect(await second).toEqual({ done: true, value: undefined });
    const left = listImages(sources());
    const next = left.next();
    expect(await left.return()).toEqual({ done: true, value: undefined });
    expect(await next).toEqual({ done: true, value: undefined });
  });

  it.runIf(isLinux)('by a signal closes folders, and leaves no listener', async () => {
    using tree = new Tree(Array.from({ length: 3000 }, (_, index) => `${index}.txt`));
    tree.add('a.jpg');
    const controller = new AbortController();
    const listing = listImages(tree.root, { signal: controller.signal });
    const next = listing.next();
    await expect.poll(() => openIn(tree), { interval: 0 }).toEqual([tree.root]);
    controller.abort();
    await expect(next).rejects.toMatchObject({ code: 'GHOSTNET_ABORTED' });
    await expect.poll(() => openIn(tree)).toEqual([]);

    // The work behind the listing ends, too.
    const end = new AbortController();
    const step = new Lister(end.signal).list([tree.root]).next();
    await expect.poll(() => openIn(tree), { interval: 0 }).toEqual([tree.root]);
    end.abort();
    await expect(step).rejects.toThrow('aborted');

    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    await entriesOf(listImages(tree.root, { signal }));
    expect(listeners).toBe(0);
  });

  it('can be awaited as a disposal', async () => {
    using tree = new Tree(['a.jpg', 'b.jpg']);
    const listing = listImages(tree.root);
    await listing.next();
    await listing[Symbol.asyncDispose]();
    expect(await listing.next()).toEqual({ done: true, value: undefined });
  });
});

describe('any tree', () => {
  /** The same listing, simply: with recursion, in memory. */
  function reference(folder: string, prefix: string, walked: Set<string>): string[] {
    const real = realpathSync(folder);
    if (walked.has(real)) return [];
    walked.add(real);
    const keys = readdirSync(folder)
      .filter((name) => !name.startsWith('.'))
      .map((name) => {
        try {
          return statSync(`${folder}/${name}`).isDirectory() ? `${name}/` : name;
        } catch {
          return `${name}: ${missing}`;
        }
      })
      .filter((key) => /(\/|\.jpg|: \w+)$/.test(key))
      .sort((a, b) => Buffer.compare(Buffer.from(a.split(':')[0] ?? ''), Buffer.from(b.split(':')[0] ?? '')));
    return keys.flatMap((key) =>
      key.endsWith('/') ? reference(`${folder}/${key.slice(0, -1)}`, prefix + key, walked) : [prefix + key],
    );
  }

  it('is listed like by a simple recursion', async () => {
    const name = fc.constantFrom(
      'a',
      'b',
      'a-',
      'a.jpg',
      'b.jpg',
      '.c',
      '.d.jpg',
      'é.jpg',
      '😀',
      'Ａ',
      'x.txt',
      '*',
      '[a]',
    );
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
    const leaf = fc.oneof(
      fc.constant<Leaf>('file'),
      path.map((to): Leaf => ({ linkTo: to })),
      fc.constantFrom<Leaf>({ linkTo: '.' }, { linkTo: '..' }, { linkTo: '../a' }, { linkTo: '../b.jpg' }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(path, leaf), { maxLength: 20 }), async (leaves) => {
        using tree = new Tree(['root/']);
        for (const [at, what] of leaves) {
          try {
            tree.add(`root/${at}`, what);
          } catch {
            // Something else is there.
          }
        }
        const root = tree.at('root');
        const expected = reference(root, 'root/', new Set());
        const entries = (await told(tree, root)).filter((entry) => entry !== `root: ${missing}`);
        expect(entries.map((entry) => entry.replace(unreadable, missing))).toEqual(expected);
        expect(new Set(entries).size).toBe(entries.length);
      }),
      { numRuns: 100 },
    );
  });
});
