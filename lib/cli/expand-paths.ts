import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import { glob, isDynamicPattern } from 'tinyglobby';

const imagePattern = '**/*.{jpg,jpeg,jpe,jfif,png,webp,avif,gif,tif,tiff}';

/**
 * The image files that an argument names: itself, the images in a folder and below, the matches of a glob; sorted. An
 * argument that names nothing is returned as it is, so that it is reported as the missing file it is.
 */
export async function expandPaths(path: string): Promise<string[]> {
  const kind = await stat(path).catch(() => undefined);
  // A file whose name happens to look like a glob is still that file.
  if (kind?.isFile() === true) return [path];
  if (kind?.isDirectory() === true) {
    const found = await glob(imagePattern, {
      cwd: path,
      caseSensitiveMatch: false,
      followSymbolicLinks: true,
    });
    return found.sort().map((file) => join(path, file));
  }
  if (kind === undefined && isDynamicPattern(path)) return (await glob(path, { dot: true })).sort();
  return [path];
}
