import { SingleBar } from 'cli-progress';
import { Command } from 'commander';

import { pullWeights, weightsRegistry, type DownloadProgress } from '../weights/index.js';
import { exitCodeHelp } from './exit-codes.js';
import { printPath, report } from './output.js';

/** `ghostnet pull` */
export function pullCommand(): Command {
  const list = weightsRegistry.map(({ name, note }) => `  ${name.padEnd(16)} ${note}`).join('\n');
  return new Command('pull')
    .summary('download trained weights by name')
    .description(
      'Downloads trained weights into the cache folder, verifies them, and prints their path. Weights in the cache are not\n' +
        'downloaded again; an interrupted download is resumed.',
    )
    .argument('<name>', 'one of the names below')
    .option('--offline', 'use only the cache')
    .option(
      '--cache <folder>',
      'the cache folder (default: GHOSTNET_CACHE, or the usual cache folder of the system)',
    )
    .addHelpText('after', `\nWeights:\n${list}`)
    .addHelpText('after', exitCodeHelp)
    .action(async (name: string, options: { offline?: boolean; cache?: string }) => {
      const progress = new DownloadBar();
      try {
        const { path, fromCache, entry } = await pullWeights(name, {
          offline: options.offline,
          cacheDir: options.cache,
          onProgress: (state) => {
            progress.show(state);
          },
        });
        progress.stop();
        const how =
          entry.sha256 === undefined ? 'downloaded; its checksum is not known' : 'downloaded and verified';
        report(`${entry.name}: ${fromCache ? 'already in the cache' : how}`);
        printPath(path);
      } finally {
        progress.stop();
      }
    });
}

/** A progress bar on standard error, if it is a terminal. */
class DownloadBar {
  #bar: SingleBar | undefined;

  show({ receivedBytes, totalBytes }: DownloadProgress): void {
    if (!process.stderr.isTTY) return;
    const mebibytes = (bytes: number): number => Math.round(bytes / 104857.6) / 10;
    if (this.#bar === undefined) {
      this.#bar = new SingleBar({
        format: '{bar} {value}/{total} MiB, {eta_formatted} left',
        stream: process.stderr,
      });
      this.#bar.start(mebibytes(totalBytes ?? receivedBytes), 0);
    }
    this.#bar.update(mebibytes(receivedBytes));
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}
