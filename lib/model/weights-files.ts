import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { TextDecoder } from 'node:util';

import {
  inSlices,
  joinShards,
  networkOf,
  parseCheckpoint,
  parseSafetensors,
  parseStateDict,
  readShardIndex,
  takesRgb,
  type ArrayFile,
  type Checkpoint,
  type ReadOptions,
  type ShardIndex,
} from '../checkpoint/index.js';
import { GhostNetError } from '../errors.js';
import { defaultMaxFileBytes, readBytes, type ReadFileOptions } from '../files.js';
import { longestJson } from '../check/json.js';
import { readHubConfig, type HubDescription, type Overrides } from './hub-config.js';

/** Options of reading the files of a model. */
export type FilesOptions = ReadOptions & ReadFileOptions & Overrides;

/** Weights, and what a file beside them says. */
export interface WeightsFiles {
  /** The weights file, or the index of several: the source, in messages. */
  readonly name: string;
  /** All files that were read. */
  readonly files: readonly string[];
  /** The size of the files with weights. */
  readonly bytes: number;
  readonly checkpoint: Checkpoint;
  readonly description: HubDescription | undefined;
}

/** The names under which timm and Hugging Face save weights, the first to be taken first. */
const hubNames = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
];

/** The end of the name of an index, from that of its files on. */
const indexEnd = /(\.safetensors|\.bin)\.index\.json$/;

const configName = 'config.json';

/**
 * Reads the weights at a path: a file, the index of several, or a folder as timm and Hugging Face write it, with the `config.json`
 * beside them.
 *
 * @throws {@link GhostNetError} as for reading a file and a checkpoint
 */
export async function readWeightsFiles(path: string, options: FilesOptions): Promise<WeightsFiles> {
  const name = await weightsFileAt(path);
  const [, shardEnd] = indexEnd.exec(name) ?? [];
  const { files, ...weights } =
    shardEnd === undefined ? await readOne(name, options) : await readShards(name, shardEnd, options);
  const description = await descriptionBeside(name, options).catch((error: unknown) => {
    // A network that does not run needs no description; the error about its stem says what to do.
    if (error instanceof GhostNetError && !takesRgb(weights.checkpoint)) return undefined;
    throw error;
  });
  const beside = description === undefined ? [] : [join(dirname(name), configName)];
  return { ...weights, name, files: [...files, ...beside], description };
}

type Read = Pick<WeightsFiles, 'files' | 'bytes' | 'checkpoint'>;

/** Reads weights from one file. @param source - its name in messages */
export async function readOne(path: string, options: FilesOptions, source = path): Promise<Read> {
  const bytes = await readBytes(path, options);
  const checkpoint = await inSlices(parseCheckpoint(bytes, { ...options, source }), options.signal);
  return { files: [path], bytes: bytes.byteLength, checkpoint };
}

async function weightsFileAt(path: string): Promise<string> {
  const isFolder = await stat(path).then((stats) => stats.isDirectory(), no);
  if (!isFolder) return path;
  for (const name of hubNames) {
    const file = join(path, name);
    if (await stat(file).then((stats) => !stats.isDirectory(), no)) return file;
  }
  throw new GhostNetError('GHOSTNET_FILE_UNREADABLE', `There are no weights at ${path}`, {
    found: 'a folder',
    expected: `a file, or a folder with ${hubNames.slice(0, -1).join(', ')} or ${hubNames.at(-1)}`,
    remedy: 'Pass the path of the weights file.',
  });
}

/** The reading of what is not there is an error with a name of its own, later. */
const no = (): boolean => false;

async function descriptionBeside(file: string, options: FilesOptions): Promise<HubDescription | undefined> {
  if (!hubNames.includes(basename(file))) return undefined;
  const path = join(dirname(file), configName);
  const text = await readText(path, options).catch((error: unknown) => {
    if (error instanceof GhostNetError && error.code === 'GHOSTNET_FILE_NOT_FOUND') return undefined;
    throw error;
  });
  return text === undefined ? undefined : readHubConfig(text, path, options);
}

/** The text of a file that is small if it is what it should be. */
async function readText(path: string, { signal }: ReadFileOptions): Promise<string> {
  try {
    const bytes = await readBytes(path, { maxFileBytes: longestJson, signal });
    // It takes the byte order mark away, with which some editors of Windows begin a file.
    return new TextDecoder().decode(bytes);
  } catch (error) {
    if (!(error instanceof GhostNetError) || error.code !== 'GHOSTNET_FILE_TOO_LARGE') throw error;
    throw new GhostNetError('GHOSTNET_MALFORMED_FILE', `The file ${path} is too long`, {
      found: error.found,
      expected: `at most ${longestJson} bytes`,
    });
  }
}

async function readShards(path: string, shardEnd: string, options: FilesOptions): Promise<Read> {
  const index = readShardIndex(await readText(path, options), path, shardEnd);
  const places = await placesOf(index, path);
  const parseShard = shardEnd === '.bin' ? parseStateDict : parseSafetensors;
  const shards = new Map<string, ArrayFile>();
  const { maxFileBytes = defaultMaxFileBytes, signal } = options;
  let total = 0;
  for (const [file, place] of places) {
    const bytes = await readBytes(place, { signal, maxFileBytes: maxFileBytes - total });
    total += bytes.byteLength;
    shards.set(file, await inSlices(parseShard(bytes, place), signal));
  }
  const checkpoint = networkOf(joinShards(index, shards, path), { ...options, source: path });
  return { files: [path, ...places.values()], bytes: total, checkpoint };
}

/** Where the files of an index are. None of them may be a link out of the folder, as to a file that its author cannot read. */
async function placesOf(index: ShardIndex, path: string): Promise<Map<string, string>> {
  const folder = dirname(path);
  const rooms = roomsOf(await realpath(folder));
  const places = new Map<string, string>();
  const seen = new Set<string>();
  for (const file of index.keys()) {
    const place = join(folder, file);
    const real = await realpath(place).catch(() => undefined); // absent, as reading it will tell
    const isInside = real === undefined || rooms.some((room) => real.startsWith(room + sep));
    if (!isInside || (real !== undefined && seen.has(real))) {
      throw new GhostNetError('GHOSTNET_MALFORMED_FILE', `${path}: ${place} is a link to another place`, {
        expected: 'a file in the folder of the index, named once',
      });
    }
    if (real !== undefined) seen.add(real);
    places.set(file, place);
  }
  return places;
}

/** The folder itself; in the cache of Hugging Face also that of the files to which the links of a snapshot lead. */
function roomsOf(folder: string): string[] {
  const above = dirname(folder);
  return basename(above) === 'snapshots' ? [folder, join(dirname(above), 'blobs')] : [folder];
}
