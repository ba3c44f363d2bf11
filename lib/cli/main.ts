#!/usr/bin/env node
// Imports nothing by itself: what fails then, nobody could report. Out of descriptors, no module can be read.
try {
  const { run } = require('./program.js') as typeof import('./program.js');
  void run();
} catch (cause) {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code !== 'EMFILE' && code !== 'ENFILE') throw cause;
  process.stderr.write(
    `ghostnet: The modules of the package cannot be read. Found ${message.replace(/, \w+ '.*$/s, '')}. ` +
      'Raise the limit of open files (`ulimit -n`). [GHOSTNET_FILE_UNREADABLE]\n',
  );
  process.exitCode = 3;
}
export {};
