import { writeFile } from 'node:fs/promises';

import { EngineUnavailable } from './engine-process.mjs';
import { machine } from './machine.mjs';
import { rankSettings } from './pipeline/choose.mjs';
import { compareContenders } from './pipeline/compare.mjs';
import { contenders } from './pipeline/contenders.mjs';
import { layOutPipelineNetwork } from './pipeline/network.mjs';
import { optionsOf, usage } from './pipeline/options.mjs';
import { photosOf } from './pipeline/photos.mjs';
import { processorKind } from './pipeline/processor.mjs';
import { reportOf } from './pipeline/report.mjs';

const titles = { small: 'Small photos', '12mp': 'Photos of 12 megapixels' };

const started = performance.now();

// Only the tables go to stdout.
function progress(text) {
  const seconds = Math.round((performance.now() - started) / 1000);
  process.stderr.write(`[${String(seconds).padStart(4)} s] ${text}\n`);
}

/** The settings of each contender, best first. A search at another size narrows the candidates down. */
async function searchAll(chosen, what, effort, earlier) {
  const searches = [];
  const unavailable = {};
  const rankingOf = (key, list) => list.find((search) => search.key === key)?.tried;
  for (const contender of chosen) {
    const { key, title, like } = contender;
    const ranked = rankingOf(like, searches) ?? rankingOf(key, earlier);
    const leading = ranked?.slice(0, contender.leading).map(({ settings }) => settings);
    try {
      searches.push({
        key,
        title,
        contender,
        tried: await rankSettings(contender, leading, what, effort, progress),
      });
    } catch (error) {
      if (!(error instanceof EngineUnavailable)) throw error;
      progress(`${title} is skipped: ${error.message}`);
      unavailable[title] = error.message;
    }
  }
  return { searches, unavailable };
}

async function timeSize(size, { only, effort }, network, earlier) {
  const { files, description } = await photosOf(size);
  const what = { network, files, size };
  const { seconds, stageSeconds, search } = effort[size];
  const chosen = contenders.filter(({ group, sizes }) => only.includes(group) && sizes.includes(size));
  progress(`${titles[size]}: looking for the best settings of each peer`);
  const { searches, unavailable } = await searchAll(chosen, what, { ...effort, ...search }, earlier);
  const entries = searches.map(({ contender, tried }) => ({ contender, settings: tried[0].settings }));
  progress(`${titles[size]}: ${entries.map(({ contender }) => contender.title).join('; ')}`);
  const compared = await compareContenders(entries, what, { ...effort, seconds, stageSeconds }, progress);
  return {
    size,
    title: titles[size],
    photos: description,
    rounds: effort.rounds,
    seconds,
    rows: compared.rows,
    unavailable: { ...unavailable, ...compared.unavailable },
    searches: searches.map(({ key, title, tried }) => ({ key, title, tried })),
  };
}

async function main(options) {
  const measuredOn = { ...machine(), kind: processorKind() };
  const small = await photosOf('small');
  const network = await layOutPipelineNetwork(small.files);
  try {
    const sizes = [];
    for (const size of options.sizes) {
      sizes.push(await timeSize(size, options, network, sizes[0]?.searches ?? []));
    }
    const result = { machine: measuredOn, network: network.description, sizes };
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(result, null, 2)}\n`);
    console.log(reportOf(result));
  } finally {
    await network.remove();
  }
}

function optionsOrUsage(argv) {
  try {
    return optionsOf(argv);
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    process.exit(1);
  }
}

const options = optionsOrUsage(process.argv.slice(2));
if (options.help) console.log(usage);
else await main(options);
