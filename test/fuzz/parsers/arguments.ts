import { CommanderError } from 'commander';

import { classifyCommand } from '../../../lib/cli/classify.js';
import { convertCommand } from '../../../lib/cli/convert.js';
import { infoCommand } from '../../../lib/cli/info.js';
import { pullCommand } from '../../../lib/cli/pull.js';
import { writtenOut } from '../../../lib/sources/braces.js';
import { excessOf, isGlob, parseGlob } from '../../../lib/sources/glob.js';
import { linesOf, longestLine, tooLong } from '../../../lib/sources/lines.js';
import { rawOf, toBytes, toName, type RawPath } from '../../../lib/sources/raw-path.js';
import { Images } from '../../../lib/sources/selection.js';
import { blind, editText, mutate } from './mutations.js';
import type { Target } from './target.js';

const commands = { classify: classifyCommand, info: infoCommand, pull: pullCommand, convert: convertCommand };
type Command = keyof typeof commands;

const commandLines = [
  'classify a.jpg b.png --top-k 3 --json',
  'classify --files-from - --batch-size 8 --threads 2 --device auto',
  'classify photos --color-profile apply --decode fast --decoder sharp --max-pixels 1000000',
  'classify -k 1 -m ghostnet_100 --precision bfloat16 -- -x.jpg',
  'info weights.pth --json',
  'pull ghostnet_100 --cache weights --offline',
  'convert in.pth out.safetensors --weights ema',
].map((line) => Buffer.from(line.replaceAll(' ', '\n')));

const options = [
  ...[
    '--top-k',
    '--json',
    '--',
    '-',
    '-k',
    '-m',
    '--model',
    '--files-from',
    '--threads=',
    '--help',
    '=',
    '\n',
  ],
  ...['0', '-1', '1e3', 'NaN', '99999999999999999999', '--no-json', '--device', 'cuda:-1', '__proto__', ''],
];

/** Options and arguments of the command line, before anything is done with them. */
const commandLine: Target = {
  name: 'command line',
  share: 1,
  codes: [],
  make: (random) => {
    const edit = editText(options, /(\n|=)/);
    return mutate(commandLines, [...blind, edit, edit, edit], random);
  },
  parse: (input) => {
    const [name = '', ...words] = input.toString('latin1').split('\n');
    const command = commands[(Object.hasOwn(commands, name) ? name : 'classify') as Command]();
    command.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
    try {
      command.parseOptions(words);
    } catch (error) {
      if (error instanceof CommanderError) return 'wrong usage';
      throw error;
    }
    return undefined;
  },
};

const lists = ['a.jpg\nb c.png\r\n', '\ufeffcaf\xe9.jpg\n\n./x\n', 'one\0two\0'].map((text) =>
  Buffer.from(text),
);

/** Lists of paths, in chunks of every size. */
const lines: Target = {
  name: 'lists of paths',
  share: 1,
  bytesPerByte: 1_000, // a byte that is not UTF-8 is spelled out
  codes: [],
  make: (random) =>
    mutate(lists, [...blind, editText(['\n', '\r\n', '\0', '\xff', '\xef\xbb\xbf'], /(\n)/)], random),
  parse: async (input) => {
    const step = 1 + (input.length % 97) + (input.length >> 8);
    async function* chunks(): AsyncGenerator<Buffer> {
      for (let at = 0; at < input.length; at += step) {
        yield await Promise.resolve(input.subarray(at, at + step));
      }
    }
    let bytes = 0;
    for await (const some of linesOf(chunks())) {
      for (const line of some) {
        if (line === tooLong) continue;
        if (line.length > longestLine) throw new Error('A line is too long');
        toName(line);
        bytes += toBytes(line).length;
      }
    }
    if (bytes > input.length) throw new Error('There is more than was read');
    return undefined;
  },
};

const globs = ['photos/**/*.jpg', 'photo (1)*.[jJ]pg', '{a,b/c}/{d,e}*.png', '[!a-z]?\\*/+(x|y).jpg'].map(
  (text) => Buffer.from(text),
);
const paths = ['a.jpg', 'photo (1).jpg', 'x'.repeat(60), 'caf\xe9.jpg'].map(rawOf);
const mostWrittenOut = 8;

/** Globs, matched with names. */
const patterns: Target = {
  name: 'globs',
  share: 1,
  bytesPerByte: 4_000, // a glob with braces is several globs
  codes: [],
  make: (random) =>
    mutate(
      globs,
      [...blind, editText(['*', '**', '?', '[', ']', '{', '}', ',', '/', '\\', '!', '+(', '|', ')'], /(\W)/)],
      random,
    )
      // Globs are the caller's own, and short.
      .subarray(0, 1024),
  parse: (input) => {
    const text = input.toString('latin1');
    if (excessOf(text as RawPath) !== undefined) return 'too large';
    isGlob(text as RawPath);
    let written = 0;
    for (const glob of writtenOut(text as RawPath) ?? []) {
      const selection = parseGlob(glob, new Images(false))?.selection;
      for (const path of paths) {
        selection?.judge(path);
        selection?.enter(path);
      }
      if (++written === mostWrittenOut) return 'many globs';
    }
    return undefined;
  },
};

export const commandLineTargets: readonly Target[] = [commandLine, lines, patterns];
