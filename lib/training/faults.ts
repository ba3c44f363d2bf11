import { GhostNetError } from '../errors.js';

/** The error for data of which no classifier can be made. */
export function tooFewClasses(where: string, classes: readonly string[]): GhostNetError {
  return new GhostNetError('GHOSTNET_INVALID_ARGUMENT', `${where} has too few classes to train`, {
    found: classes.length === 0 ? 'no class with images' : `only ${JSON.stringify(classes[0])}`,
    expected: 'images of at least 2 classes, each in a folder of its own: photos/cat/1.jpg, photos/dog/2.jpg',
    remedy: 'Pass the folder that contains a folder for each class.',
  });
}

/** The folders into which data sets are often divided, in place of classes. */
export function dividedFolder(where: string, parts: readonly string[]): GhostNetError {
  const [train = 'train', validation = 'val'] = parts;
  return new GhostNetError(
    'GHOSTNET_INVALID_ARGUMENT',
    `${where} has parts of a data set in place of classes`,
    {
      found: `the folders ${parts.join(', ')}`,
      expected: 'a folder for each class',
      remedy: `Pass ${where}/${train}, and ${where}/${validation} as the option validation (--validation).`,
    },
  );
}
