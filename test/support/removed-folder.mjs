// Calls in a folder that was removed, with relative paths. Prints what comes of each: the first before a model was loaded in another
// folder, the others after it.
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { cacheFolder, GhostNet, inspectWeights, pullWeights } from 'ghostnet';

import { listImages } from '../../dist/sources/list-images.js';

function enterRemoved() {
  const folder = mkdtempSync(join(tmpdir(), 'ghostnet-removed-'));
  process.chdir(folder);
  rmdirSync(folder);
}

async function list(sources) {
  for await (const { error } of listImages(sources)) if (error !== undefined) throw error;
}

enterRemoved();
const outcomes = {};
outcomes['load first'] = await GhostNet.load().catch(({ code }) => code);
process.chdir(tmpdir());
const model = await GhostNet.load();
enterRemoved();
process.env.GHOSTNET_CACHE = 'cache';
const calls = {
  load: () => GhostNet.load('x.pth'),
  'load pulled weights': () => GhostNet.load('ghostnet_100'),
  'load the embedded model': () => GhostNet.load(),
  inspectWeights: () => inspectWeights('x.pth'),
  classify: () => model.classify('x.jpg'),
  'classify with sharp': () => model.pipeline({ decoder: 'sharp' }).run('x.png'),
  save: () => model.save('x.safetensors'),
  'save in a folder': () => model.save('./x/x.safetensors'),
  list: () => list('x.jpg'),
  'list a glob': () => list('*.jpg'),
  'list a folder': () => list('.'),
  'list a list': () => list({ filesFrom: 'x' }),
  cacheFolder: async () => cacheFolder(),
  pullWeights: () => pullWeights('ghostnet_100', { offline: true }),
  'pullWeights with cacheDir': () => pullWeights('ghostnet_100', { offline: true, cacheDir: 'x' }),
  'cacheFolder of others': async () =>
    cacheFolder({ env: { GHOSTNET_CACHE: 'x' }, platform: 'linux', home: '/' }),
};
for (const [name, call] of Object.entries(calls)) {
  outcomes[name] = await call().then(
    () => 'ok',
    (error) => (error.name === 'GhostNetError' ? error.code : String(error)),
  );
}
console.log(JSON.stringify(outcomes));
