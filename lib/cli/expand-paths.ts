import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import { glob, isDynamicPattern } from 'tinyglobby';

const imagePattern = '**/*.{jpg,jpeg,jpe,jfif,png,webp,avif,gif,tif,tiff}';

/**
 * The image files that an argument names: the file itself, the images in a folder at any depth, or the matches of a glob,
 * sorted. An argument that matches nothing is returned unchanged, so that it is reported as a missing file.
 */
export async function expandPaths(path: string): Promise<string[]> {
  const kind = await stat(path).catch(() => undefined);
  // A file whose name looks like a glob is still a file.
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
