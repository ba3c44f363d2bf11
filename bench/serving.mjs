// npm run bench:serve: requests a second and waiting times of `ghostnet serve` beside the same handler on sharp and onnxruntime-node, and
// the processor's time that a server takes for an image beside that of a pipeline in one process.
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

import { machine } from './machine.mjs';
import { installPeers, PeersUnreachable } from './peers.mjs';
import { layOutPipelineNetwork } from './pipeline/network.mjs';
import { photosOf } from './pipeline/photos.mjs';
import { processorKind } from './pipeline/processor.mjs';
import { loadOf } from './serving/load.mjs';
import { inProcess, ours, peerServer } from './serving/processes.mjs';
import { reportOf } from './serving/report.mjs';

const usage = `npm run bench:serve -- [options]

  --rounds 5     how often the contenders take turns
  --quick        two rounds of short turns: a look, not a measurement
  --json FILE    writes everything that was measured to a file, too`;

/** How many clients send at a time, each the next photo when it has its answer. */
const connectionCounts = [1, 8, 64];

/** What the peer may be set to; the best at 64 connections takes part. */
const candidates = [1, 8, 16].flatMap((batch) =>
  [1, 2].map((intra) => ({ batch, intra, input: 'uint8', shrink: 'usual', spin: false })),
);

const started = performance.now();
const progress = (text) =>
  process.stderr.write(
    `[${String(Math.round((performance.now() - started) / 1000)).padStart(4)} s] ${text}\n`,
  );

/** One turn of a server: what the clients saw, and the processor's time of its process. */
async function turn(server, files, connections, seconds) {
  const before = server.processorTime();
  const load = await loadOf({ url: server.url, files, connections, seconds });
  return { ...load, cpuMs: (server.processorTime() - before) / load.answered };
}

async function bestPeer(network, files, seconds) {
  const tried = [];
  for (const settings of candidates) {
    const server = await peerServer(network, settings);
    try {
      await turn(server, files, 64, 1);
      const { perSecond } = await turn(server, files, 64, seconds);
      tried.push({ settings, perSecond });
      progress(`${JSON.stringify(settings)}: ${perSecond.toFixed(0)} a second`);
    } finally {
      await server.close();
    }
  }
  return tried.sort((a, b) => b.perSecond - a.perSecond)[0].settings;
}

async function main({ rounds, quick, json }) {
  const seconds = quick ? 3 : 8;
  const measuredOn = { ...machine(), kind: processorKind() };
  const { files, description } = await photosOf('small');
  const network = await layOutPipelineNetwork(files);
  const contenders = [];
  try {
    contenders.push({ title: 'ghostnet serve', server: await ours(network), turns: [] });
    try {
      installPeers();
      progress('looking for the best settings of sharp + onnxruntime-node');
      const settings = await bestPeer(network, files, quick ? 2 : 4);
      const title = `sharp + onnxruntime-node (${Object.entries(settings)
        .map((pair) => pair.join(' '))
        .join(', ')})`;
      contenders.push({ title, server: await peerServer(network, settings), turns: [] });
    } catch (error) {
      if (!(error instanceof PeersUnreachable)) throw error;
      progress(`sharp + onnxruntime-node is left out: ${error.message}`);
    }
    const alone = await inProcess(network, files);
    contenders.push({ title: 'a pipeline in one process', server: alone, turns: [] });
    const run = (contender, connections, time) =>
      contender.server === alone
        ? alone.turn(connections, time)
        : turn(contender.server, files, connections, time);
    for (const contender of contenders) await run(contender, 64, seconds / 2);
    for (let round = 0; round < rounds; round++) {
      progress(`round ${round + 1} of ${rounds}`);
      for (const connections of connectionCounts) {
        for (let step = 0; step < contenders.length; step++) {
          const contender = contenders[(round + step) % contenders.length];
          contender.turns.push({ round, connections, ...(await run(contender, connections, seconds)) });
        }
      }
    }
    const result = {
      machine: measuredOn,
      network: network.description,
      photos: description,
      rounds,
      seconds,
      contenders: contenders.map(({ title, turns }) => ({ title, turns })),
    };
    console.log(reportOf(result));
    if (json !== undefined) await writeFile(json, JSON.stringify(result));
  } finally {
    await Promise.all(contenders.map(({ server }) => server.close()));
    await network.remove();
  }
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) console.log(usage);
else await main({ ...values, rounds: Number(values.rounds ?? (values.quick ? 2 : 5)) });
