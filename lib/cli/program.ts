// The command line: reads the arguments of this process and runs the command in them.
import { Command, CommanderError } from 'commander';

import { isError } from '../check/kinds.js';
import { messageOf } from '../check/words.js';
import { GhostNetError } from '../errors.js';
import { manifest } from '../package-files.js';
import { harmless } from '../text.js';
import { benchCommand } from './bench.js';
import { classifyCommand } from './classify.js';
import { convertCommand } from './convert.js';
import { doctorCommand } from './doctor.js';
import { enqueueCommand } from './enqueue.js';
import { ExitCode } from './exit-codes.js';
import { infoCommand } from './info.js';
import { report, reportError } from './output.js';
import { pullCommand } from './pull.js';
import { serveCommand } from './serve.js';
import { queueCommand } from './queue.js';
import { trainCommand } from './train.js';
import { workerCommand } from './worker.js';

const program = new Command('ghostnet')
  .description(manifest.description)
  .version(manifest.version, '-V, --version', 'print the version')
  .helpOption('-h, --help', 'print help')
  .helpCommand('help [command]', 'print help for a command')
  .showHelpAfterError('(add --help for the options)')
  .configureOutput({ outputError: reportUsage })
  .exitOverride();
for (const command of [
  classifyCommand(),
  infoCommand(),
  pullCommand(),
  convertCommand(),
  trainCommand(),
  serveCommand(),
  workerCommand(),
  enqueueCommand(),
  queueCommand(),
  benchCommand(),
  doctorCommand(),
]) {
  program.addCommand(command.copyInheritedSettings(program));
}

process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
  // A reader that stops early (`| head`) is not a failure.
  if (cause.code === 'EPIPE') process.exit(ExitCode.ok);
  reportError(
    new GhostNetError('GHOSTNET_FILE_UNWRITABLE', 'The results cannot be written to standard output', {
      found: cause.message,
      remedy: 'Check that where it leads is writable and has free space.',
      cause,
    }),
  );
  process.exit(ExitCode.unwritable);
});
// There is nowhere left to report that reports cannot be written.
process.stderr.on('error', () => undefined);

/** Runs the command in the arguments of this process. */
export async function run(): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    endWith(error);
  }
}

function endWith(error: unknown): void {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? ExitCode.ok : ExitCode.usage;
  } else if (error instanceof GhostNetError) {
    reportError(error);
    process.exitCode = error.code === 'GHOSTNET_INVALID_ARGUMENT' ? ExitCode.usage : ExitCode.unusable;
  } else {
    reportUnexpected(error);
    process.exitCode = ExitCode.unusable;
  }
}

/** Prints what commander says about the arguments: a line, and perhaps another with a proposal. */
function reportUsage(text: string, write: (text: string) => void): void {
  const [, problem = '', proposal = ''] = /^(.*?)(\n\(Did you mean .*\?\))?\n$/s.exec(text) ?? ['', text];
  write(`${harmless(problem)}\n`);
  if (proposal !== '') write(`${harmless(proposal.slice(1))}\n`);
}

/** Prints a failure that nobody foresaw, and where it arose. */
function reportUnexpected(error: unknown): void {
  const found = messageOf(error);
  reportError(new GhostNetError('GHOSTNET_INTERNAL', 'The command failed unexpectedly', { found }));
  const stack = isError(error) ? (error.stack ?? '').replace(found, '').split('\n') : [];
  for (const line of stack.slice(1)) report(line);
}
