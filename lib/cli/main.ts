#!/usr/bin/env node
import { Command, CommanderError } from 'commander';

import { GhostNetError } from '../errors.js';
import { manifest } from '../native/manifest.js';
import { benchCommand } from './bench.js';
import { classifyCommand } from './classify.js';
import { convertCommand } from './convert.js';
import { doctorCommand } from './doctor.js';
import { ExitCode } from './exit-codes.js';
import { infoCommand } from './info.js';
import { pullCommand } from './pull.js';

const program = new Command('ghostnet')
  .description(manifest.description)
  .version(manifest.version, '-V, --version', 'print the version')
  .helpOption('-h, --help', 'print help')
  .helpCommand('help [command]', 'print help for a command')
  .showHelpAfterError('(add --help for the options)')
  .exitOverride();
for (const command of [
  classifyCommand(),
  infoCommand(),
  pullCommand(),
  convertCommand(),
  benchCommand(),
  doctorCommand(),
]) {
  program.addCommand(command.copyInheritedSettings(program));
}

// A reader that stops early (`| head`) is not a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(ExitCode.ok);
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? ExitCode.ok : ExitCode.usage;
  } else if (error instanceof GhostNetError) {
    process.stderr.write(`ghostnet: ${error.message} [${error.code}]\n`);
    process.exitCode = error.code === 'GHOSTNET_INVALID_ARGUMENT' ? ExitCode.usage : ExitCode.unusable;
  } else {
    throw error;
  }
}
