import { setTimeout as sleep } from 'node:timers/promises';

import { Command } from 'commander';

import type { DeadLetterFilter, ImageQueue, QueueStatus } from '../queue/index.js';
import { QueueRate } from './queue-rate.js';
import { ExitCode, exitCodesInWords } from './exit-codes.js';
import { print, printJson, report } from './output.js';
import { ProgressLine } from './progress-line.js';
import { queueOption, redisOption, withQueue, type QueueOptions } from './queue-options.js';

const exitCodes = exitCodesInWords({
  0: 'success',
  1: 'some of the named jobs are no dead letters',
  2: 'wrong usage',
  3: 'Redis or the package cannot be used',
});

/** `ghostnet queue` */
export function queueCommand(): Command {
  const group = new Command('queue').summary('look after a queue: status, failed, retry');
  const command = (name: string): Command => {
    const made = new Command(name).addOption(redisOption()).addOption(queueOption());
    group.addCommand(made);
    return made;
  };
  command('status')
    .description('Prints how many jobs wait, are active, done and failed, and how fast it goes.')
    .option('--watch', 'go on until the queue is empty')
    .option('--json', 'print JSON on a terminal too')
    .addHelpText('after', exitCodes)
    .action((options: StatusOptions) => withQueue(options, (queue) => status(queue, options)));
  command('failed')
    .description('Lists the dead letters: jobs that failed for good. JSON lines, the latest first.')
    .option('--code <codes...>', 'only those with these codes')
    .addHelpText('after', exitCodes)
    .action((options: FilterOptions) => withQueue(options, (queue) => failed(queue, filterOf(options))));
  command('retry')
    .description('Gives dead letters to the workers again: all, or some of them.')
    .argument('[jobs...]', 'ids of jobs, as `ghostnet queue failed` prints them')
    .option('--code <codes...>', 'only those with these codes')
    .addHelpText('after', exitCodes)
    .action((jobs: string[], options: FilterOptions) =>
      withQueue(options, async (queue) => {
        const retried = await queue.retryDead(filterOf(options, jobs));
        await printJson({ queue: options.queue, retried });
        if (retried >= jobs.length) return;
        report(`ghostnet: ${jobs.length - retried} of the named jobs are no dead letters of this queue`);
        process.exitCode = ExitCode.someFailed;
      }),
    );
  return group;
}

interface StatusOptions extends QueueOptions {
  readonly watch?: boolean;
  readonly json?: boolean;
}

interface FilterOptions extends QueueOptions {
  readonly code?: string[];
}

/** Between two looks at a queue, in milliseconds. */
const intervalMs = 1_000;

async function status(
  queue: ImageQueue,
  { queue: name, watch = false, json = false }: StatusOptions,
): Promise<void> {
  const rate = new QueueRate();
  const isForPeople = !json && process.stdout.isTTY;
  const progress = new ProgressLine('{text}');
  let isFirst = true;
  try {
    for (;;) {
      const state = await queue.status();
      const { perSecond, secondsLeft } = rate.look(state, performance.now());
      const left = state.waiting + state.active + state.delayed;
      const shown = {
        queue: name,
        ...state,
        perSecond: Math.round(perSecond * 10) / 10,
        secondsLeft: secondsLeft === null ? null : Math.round(secondsLeft),
      };
      const isLast = watch ? left === 0 : !isFirst || left === 0;
      if (isForPeople) {
        progress.show(state.done, { text: inWords(state, shown) });
        if (isLast) {
          progress.stop();
          print(inWords(state, shown));
        }
      } else if (isLast || (watch && !isFirst)) await printJson(shown);
      if (isLast) break;
      isFirst = false;
      // A rate needs two looks.
      await sleep(intervalMs);
    }
  } finally {
    progress.stop();
  }
}

function inWords(
  state: QueueStatus,
  { perSecond, secondsLeft }: { perSecond: number; secondsLeft: number | null },
): string {
  const { waiting, active, delayed, done, failed, isPaused } = state;
  const parts = [`${done} done`, `${waiting} waiting`, `${active} active`];
  if (delayed > 0) parts.push(`${delayed} to be tried again`);
  if (failed > 0) parts.push(`${failed} failed`);
  parts.push(`${perSecond} a second`);
  if (secondsLeft !== null && secondsLeft > 0) parts.push(`${duration(secondsLeft)} left`);
  if (isPaused) parts.push('paused');
  return parts.join(', ');
}

function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${seconds} s`;
  return minutes < 60
    ? `${minutes} min ${seconds % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

async function failed(queue: ImageQueue, filter: DeadLetterFilter): Promise<void> {
  let count = 0;
  for await (const letter of queue.deadLetters(filter)) {
    count += 1;
    await printJson(letter);
  }
  if (count === 0) report('ghostnet: no dead letters');
}

function filterOf({ code }: FilterOptions, jobs: readonly string[] = []): DeadLetterFilter {
  return { ...(code === undefined ? {} : { codes: code }), ...(jobs.length === 0 ? {} : { jobs }) };
}
