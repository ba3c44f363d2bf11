#!/usr/bin/env node
// Imports nothing by itself: what fails then, nobody could report. Out of descriptors, no module can be read.
try {
  await import('./program.js');
} catch (cause) {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code !== 'EMFILE' && code !== 'ENFILE') throw cause;
  process.stderr.write(
    `ghostnet: The modules of the package cannot be read. Found ${message.replace(/, \w+ '.*$/s, '')}. ` +
      'Raise the limit of open files (`ulimit -n`). [GHOSTNET_FILE_UNREADABLE]\n',
  );
  process.exitCode = 3;
}
