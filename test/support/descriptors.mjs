// Uses up all descriptors, and prints the errors of calls that need one. Arguments: a JPEG and a PNG.
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { GhostNet } from 'ghostnet';

const [jpeg, png, file] = process.argv.slice(2);
const model = await GhostNet.load();
// Everything is loaded before, and warnings have been given.
await model.classify([jpeg, png]);
await sleep(100);
const opened = [];
try {
  for (;;) opened.push(openSync('/dev/null'));
} catch {
  // There are no more.
}
const calls = {
  jpeg: () => model.classify(jpeg),
  png: () => model.classify(png),
  weights: () => GhostNet.load(jpeg),
  save: () => model.save(file),
};
const errors = {};
for (const [name, call] of Object.entries(calls)) {
  errors[name] = await call().then(
    () => undefined,
    ({ code, message, remedy }) => ({ code, message, remedy }),
  );
}
opened.forEach(closeSync);
await model.classify([jpeg, png]);
console.log(JSON.stringify(errors));
