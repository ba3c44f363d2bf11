// npm run test:serve: the clients of Triton and KServe against `ghostnet serve`, over HTTP and gRPC. Results must be those of the
// package, bit for bit. Ends with "N passed, N failed".
//   --quick                fewer pictures, as in npm test, which does not install the clients
//   --only='gRPC: a token' the checks with this text in their names
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { finish } from '../support/finish.mjs';

import { GhostNet } from 'ghostnet';

import { drainChecks } from './drain.mjs';
import { packages } from './environment.mjs';
import { expectationsOf, makePictures, makeTensors } from './expected.mjs';
import { ServerProcess } from './server.mjs';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    report: { type: 'string' },
  },
});
const totals = { passed: 0, failed: 0, skipped: 0, failures: [] };

function conclude(name, problem) {
  console.log(
    `  ${problem === undefined ? 'ok     ' : 'FAILED '} ${name}${problem === undefined ? '' : `: ${problem}`}`,
  );
  totals[problem === undefined ? 'passed' : 'failed'] += 1;
  if (problem !== undefined) totals.failures.push(`${name}: ${problem}`);
}

/** The clients. They are apart because the stubs of Triton and KServe cannot be in one process. */
const scripts = ['triton_http.py', 'triton_grpc.py', 'kserve_clients.py'];

/** Runs the checks of a script, and concludes each. */
async function runScript(script, ...args) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn('python3', [path, ...args], {
    env: packages.environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const end = once(child, 'close');
  for await (const line of createInterface({ input: child.stdout })) {
    const { name, problem } = JSON.parse(line);
    conclude(name, problem ?? undefined);
  }
  const [status, signal] = await end;
  if (status !== 0) conclude(script, `it ended with ${signal ?? status}`);
}

/** Limits that requests of the clients pass. */
const limits = { token: 'a-token-of-the-suite', maxBodyBytes: 400_000, maxQueue: 4 };

async function run(folder) {
  const token = join(folder, 'token.txt');
  writeFileSync(token, `${limits.token}\n`);
  const embedded = await GhostNet.load();
  const second = await GhostNet.create({ width: 1, numClasses: 1000, seed: 1 });
  const weights = join(folder, 'second.safetensors');
  await second.save(weights);

  const server = new ServerProcess(
    ...['--model', 'ghostnet:1=models/ghostnet_050_cifar10.safetensors'],
    ...['--model', `ghostnet:2=${weights}`, '--model', `second=${weights}`],
  );
  const limited = new ServerProcess(
    ...['--token-file', token, '--max-body-bytes', String(limits.maxBodyBytes)],
    ...['--max-queue', String(limits.maxQueue), '--drain-delay', '0'],
  );
  try {
    const pictures = await makePictures(folder, options.quick);
    const cases = join(folder, 'cases.json');
    const small = await expectationsOf(
      embedded,
      'embedded',
      folder,
      pictures,
      makeTensors(folder, embedded.info.inputSize),
    );
    const large = await expectationsOf(
      second,
      'second',
      folder,
      pictures,
      makeTensors(folder, second.info.inputSize),
    );
    const models = [
      { name: 'ghostnet', version: '1', ...small },
      { name: 'ghostnet', version: '2', ...large },
      { name: 'second', version: '1', ...large },
    ];
    writeFileSync(
      cases,
      JSON.stringify({
        server: await server.whenReady(),
        limited: { ...limits, ...(await limited.whenReady()) },
        models,
        protocol: join('dist', 'serve', 'grpc', 'inference.proto'),
      }),
    );
    for (const script of scripts) await runScript(script, cases, options.only);
    if (options.only === '') {
      await runScript(
        'manifests.py',
        ...['kubernetes', 'kserve'].map((name) => join('examples', `${name}.yaml`)),
      );
      for (const { name, problem } of await drainChecks(options.quick ? 2_000 : 10_000))
        conclude(name, problem);
    }
    conclude('the server ends when it is told to', await server.end());
    conclude('the server with limits ends when it is told to', await limited.end());
  } finally {
    server.kill();
    limited.kill();
    embedded.dispose();
    second.dispose();
  }
}

const start = performance.now();
const obstacle = options.quick
  ? packages.isInstalled
    ? undefined
    : 'needs build/serve/python, which `node test/serve/environment.mjs` makes'
  : packages.install();
if (obstacle === undefined) {
  const parent = join('build', 'serve');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'files-'));
  try {
    await run(folder);
  } catch (error) {
    conclude('the suite', error.stack);
  } finally {
    rmSync(folder, { recursive: true });
  }
} else {
  totals.skipped += 1;
  console.log(`\nSkipped:\n  the clients of Triton and KServe: ${obstacle}`);
}

finish(totals, { report: options.report, start, mayBeSkipped: true });
