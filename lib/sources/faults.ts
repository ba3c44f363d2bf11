import { GhostNetError } from '../errors.js';
import { codeOfReading, reasonOf } from '../files.js';
import { countsInWords } from './formats.js';
import { longestLine } from './lines.js';
import type { ListedFault } from './source.js';

/** Whether nothing exists at a path, by the error of the system. */
export function isMissing(cause: unknown): boolean {
  return cause !== undefined && codeOfReading(cause) === 'GHOSTNET_FILE_NOT_FOUND';
}

/** Whether a path at which nothing was found can still be a glob, which may be longer than a name. */
export function mayHideGlob(cause: unknown): boolean {
  return isMissing(cause) || (cause as NodeJS.ErrnoException).code === 'ENAMETOOLONG';
}

const remedies = {
  file: undefined,
  folder: 'Check its permissions, and that nothing removes it meanwhile.',
  link: 'Check where the link leads; remove it, or make its target available.',
  list: undefined,
};

/** The entry for a path that leads nowhere, or to something that the system does not let read. */
export function unreadable(what: keyof typeof remedies, name: string, cause: unknown): ListedFault {
  const code = codeOfReading(cause);
  // This character stands where the bytes of a name were lost.
  const isDamaged = code === 'GHOSTNET_FILE_NOT_FOUND' && name.includes('\uFFFD');
  const error = new GhostNetError(code, `The ${what} ${name} cannot be read`, {
    found: reasonOf(cause),
    remedy: isDamaged
      ? 'If the name is not UTF-8, name its folder, or write the name to a file and pass it as a list.'
      : remedies[what],
    cause,
  });
  return { name, error };
}

/** The entry for something named that is neither a file nor a folder. */
export function notRegular(name: string, found: string): ListedFault {
  const error = new GhostNetError('GHOSTNET_FILE_UNREADABLE', `${name} is not a regular file`, {
    found,
    expected: 'a file or a folder',
    remedy: 'Write the image to a file, or pass its bytes.',
  });
  return { name, error };
}

/** The entry for a glob that matches nothing. */
export function noMatch(name: string, skipped: ReadonlyMap<string, number>): ListedFault {
  const error = new GhostNetError(
    'GHOSTNET_FILE_NOT_FOUND',
    `There is no file ${name}, and as a glob it matches none`,
    { found: skipped.size === 0 ? undefined : countsInWords(skipped) },
  );
  return { name, error };
}

/** The entry for a glob that exceeds a limit. */
export function tooComplex(name: string, details: { found: string; expected: string }): ListedFault {
  const what = `There is no file ${name}, and as a glob it is too large`;
  const remedy = 'Split it into several globs, or put \\ before the characters that are none.';
  return { name, error: new GhostNetError('GHOSTNET_INVALID_ARGUMENT', what, { ...details, remedy }) };
}

/** The entry for a folder without images. */
export function noImages(name: string, skipped: ReadonlyMap<string, number>): ListedFault {
  const error = new GhostNetError('GHOSTNET_FILE_NOT_FOUND', `The folder ${name} contains no images`, {
    found: skipped.size === 0 ? undefined : countsInWords(skipped),
    expected: 'files that are called .jpg, .jpeg, .png, .webp, .avif, .gif, .tif or .tiff',
    remedy:
      skipped.size === 0
        ? 'Check the path. Hidden files are passed over, and so are files with other extensions, unless they are named.'
        : 'Convert the pictures to one of these formats.',
  });
  return { name, error };
}

/** The entry for an empty name. */
export function emptyName(): ListedFault {
  return {
    name: '',
    error: new GhostNetError('GHOSTNET_FILE_NOT_FOUND', 'The name of a file is empty'),
  };
}

/** The entry for a line of a list that is empty. */
export function emptyLine(list: string, line: number): ListedFault {
  const error = new GhostNetError('GHOSTNET_FILE_NOT_FOUND', `Line ${line} of ${list} is empty`, {
    remedy: 'Remove the line from the list.',
  });
  return { name: `${list}:${line}`, error };
}

/** The entry for a line of a list that is longer than any path. */
export function longLine(list: string, line: number): ListedFault {
  const error = new GhostNetError('GHOSTNET_FILE_NOT_FOUND', `Line ${line} of ${list} is no path`, {
    found: `more than ${longestLine} bytes`,
    remedy: 'Pass a text file with one path a line; say which separator it has if it is not the line break.',
  });
  return { name: `${list}:${line}`, error };
}
