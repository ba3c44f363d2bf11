import { readFileSync } from 'node:fs';

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
export const manifest = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as Manifest;
