// A training that is killed at random moments, again and again, ends as one that was not.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { classes, makePictures, saveSource } from './pictures.mjs';

const script = fileURLToPath(new URL('finetune-process.mjs', import.meta.url));

/**
 * Runs the training until it ends or is killed.
 *
 * @param {number} [steps] - after how many steps it is killed, before its first if 0; never if undefined
 * @returns its last line, if it ended
 */
async function life(task, steps) {
  const child = spawn(process.execPath, [script, task], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exit = new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })));
  let errors = '';
  child.stderr.on('data', (text) => (errors += text));
  let seen = 0;
  let last;
  const kill = async (milliseconds) => {
    await sleep(Math.random() * milliseconds);
    child.kill('SIGKILL');
  };
  if (steps === 0) void kill(1000);
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('end ')) last = line;
    seen += 1;
    // The pause ends anywhere in a step or in the writing of a checkpoint.
    if (seen === steps) void kill(100);
  }
  const { code, signal } = await exit;
  if (signal === 'SIGKILL') return undefined;
  assert.equal(code, 0, errors);
  return last;
}

/** @param {{ folder: string, isQuick: boolean }} options */
export async function killed({ folder, isQuick }) {
  const kills = isQuick ? 4 : 10;
  const place = join(folder, 'kill');
  const split = await makePictures(join(place, 'pictures'), 16);
  const source = join(place, 'source.safetensors');
  await saveSource(source);
  const settings = {
    epochs: kills * 3,
    batchSize: 7,
    checkpointSeconds: 0,
    patience: 0,
    seed: 11,
    threads: 1,
  };
  const augment = { colorJitter: 0.3, mixup: 0.4, cutmix: 0.4 };
  const taskOf = (name, more = {}) => {
    const task = {
      source,
      classes,
      split,
      checkpoints: join(place, name),
      settings: { ...settings, augment, ...more },
    };
    const file = join(place, `${name}.json`);
    writeFileSync(file, JSON.stringify(task));
    return file;
  };
  const straight = await life(taskOf('straight'));
  // With the pictures in a file, and fewer checkpoints than steps.
  const task = taskOf('killed', { maxMemoryBytes: 0 });
  let done = 0;
  for (; done < kills; done += 1) {
    const steps = Math.floor(Math.random() * 12);
    const end = await life(task, steps);
    assert.equal(end, undefined, `the training ended before it was killed the ${done + 1}th time`);
  }
  const end = await life(task);
  assert.equal(end, straight);
  const names = readdirSync(join(place, 'killed'));
  assert.equal(names.length, 2, `the folder holds ${names.join(', ')}`);
  // What is finished is not trained again, and gives the same.
  assert.equal(await life(task), straight);
  return `${kills} kills, then the same weights, reports and scores: ${straight.slice(4, 20)}...`;
}
