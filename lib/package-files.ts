// Every file of the package that is read at run time. Tools that trace files (Next.js, Nitro, Vercel) evaluate __dirname in calls
// of join() like these, and so take the files along.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { bundledFault } from './bundled.js';

/** The fields of package.json that the package itself needs. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly libtorch: {
    /** The LibTorch that prebuilt binaries are built with. */
    readonly version: string;
  };
  /** The oldest system that prebuilt binaries run on. */
  readonly floor: { readonly glibc: string; readonly glibcxx: string };
}

/** The package's own package.json. */
export const manifest = readManifest();

function readManifest(): Manifest {
  // In an ES module, where a bundler may have put this code, there is no __dirname.
  if (typeof __dirname === 'undefined') throw bundledFault(undefined);
  let found: Manifest | undefined;
  try {
    found = JSON.parse(readFileSync(join(__dirname, '../package.json'), 'utf8')) as Manifest;
  } catch {
    // No package.json there: another folder.
  }
  if (found?.name !== 'ghostnet') throw bundledFault(__filename);
  return found;
}

/** Embedded weights and labels. */
export const modelsFolder = join(__dirname, '../models');

/** A folder for each platform, with its native binaries. */
export const prebuildsFolder = join(__dirname, '../prebuilds');

/** The build of a clone. */
export const buildFolder = join(__dirname, '../build');

/** The gRPC protocol of the server. */
export const protocolFile = join(__dirname, 'serve/grpc/inference.proto');
