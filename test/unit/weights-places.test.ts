import { execFile, execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { embeddedModel, GhostNet, inspectWeights } from 'ghostnet';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { root } from '../support/child.js';
import { codeOf, errorOf } from '../support/errors.js';
import { smallStages } from '../support/models.js';

const isRoot = process.geteuid?.() === 0;
const needsRoot = isRoot ? '' : ' (skipped: needs root)';
const main = fileURLToPath(new URL('dist/cli/main.js', root));

let folder: string;
let server: Server | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ghostnet-places-'));
});
afterEach(() => {
  server?.close();
  rmSync(folder, { recursive: true });
});

const at = (name: string) => join(folder, name);

/** Makes what is no regular file at a path in the folder. Only root can make devices. */
const allKinds: readonly (readonly [what: string, make: (path: string) => unknown, found: string])[] = [
  [
    'a folder',
    (path) => {
      mkdirSync(path);
    },
    'a folder',
  ],
  ['a FIFO', (path) => execFileSync('mkfifo', [path]), 'a FIFO'],
  [
    'a link to a FIFO',
    (path) => {
      execFileSync('mkfifo', [at('fifo')]);
      symlinkSync('fifo', path);
    },
    'a FIFO',
  ],
  [
    'a socket',
    (path) => new Promise<void>((resolve) => (server = createServer().listen(path, resolve))),
    'a socket',
  ],
  [
    'a link to a device',
    (path) => {
      // Not the system's own: a fault would replace it for all.
      execFileSync('mknod', [at('zero'), 'c', '1', '5']);
      symlinkSync('zero', path);
    },
    'a device',
  ],
];

const kinds = allKinds.filter(([, , found]) => isRoot || found !== 'a device');

describe(`weights at a path that is no regular file${needsRoot.replace('skipped', 'devices skipped')}`, () => {
  it.each(kinds)('are refused at once: %s', async (what, make, found) => {
    await make(at('weights'));
    const start = performance.now();
    for (const read of [GhostNet.load.bind(GhostNet), inspectWeights]) {
      const error = await errorOf(() => read(at('weights')));
      expect(error.code).toBe('GHOSTNET_FILE_UNREADABLE');
      expect(error.message).toContain(at('weights'));
      // A socket cannot even be opened.
      if (what !== 'a socket') expect(error.found).toBe(found);
    }
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it.each(['/proc/self/status', '/proc/self/mem', '/dev/zero', '/dev/stdin'])('are refused: %s', (path) => {
    const { status, stderr } = spawnSync(process.execPath, [main, 'info', path], {
      encoding: 'utf8',
      timeout: 10_000,
    });
    expect(status).toBe(3);
    expect(stderr).toMatch(/GHOSTNET_(?:FILE_UNREADABLE|UNKNOWN_FORMAT)\]/);
  });

  it('are not read beyond the limit, which an option sets', async () => {
    const file = openSync(at('large'), 'w');
    ftruncateSync(file, 3 * 2 ** 30);
    closeSync(file);
    const error = await errorOf(() => GhostNet.load(at('large')));
    expect(error.code).toBe('GHOSTNET_FILE_TOO_LARGE');
    expect(error.found).toBe('3221225472 bytes');
    const { size } = statSync(embeddedModel);
    expect(await codeOf(() => GhostNet.load(embeddedModel, { maxFileBytes: size - 1 }))).toBe(
      'GHOSTNET_FILE_TOO_LARGE',
    );
    expect(await codeOf(() => inspectWeights(embeddedModel, { maxFileBytes: 0 }))).toBe(
      'GHOSTNET_INVALID_ARGUMENT',
    );
    using model = await GhostNet.load(embeddedModel, { maxFileBytes: size });
    expect(model.info.variant).toBe('ghostnet_050');
  });

  it('are abandoned when the signal fires', async () => {
    const file = openSync(at('large'), 'w');
    ftruncateSync(file, 2 ** 30);
    closeSync(file);
    const error = await errorOf(() => GhostNet.load(at('large'), { signal: AbortSignal.timeout(20) }));
    expect(error.code).toBe('GHOSTNET_ABORTED');
  });
});

describe('GhostNet.save', () => {
  const model = GhostNet.create({ stages: smallStages, numClasses: 2, seed: 1 });
  const save = async (path: string) => (await model).save(path);
  const isWeights = (path: string) => {
    expect(readFileSync(path).subarray(8, 9).toString()).toBe('{');
  };

  it.each(kinds)('leaves what is no regular file as it is: %s', async (_, make, found) => {
    await make(at('place'));
    const { mode, ino } = lstatSync(at('place'));
    const names = readdirSync(folder);
    const error = await errorOf(() => save(at('place')));
    expect(error.code).toBe('GHOSTNET_FILE_UNWRITABLE');
    expect(error.found).toBe(found);
    expect(lstatSync(at('place'))).toMatchObject({ mode, ino });
    expect(readdirSync(folder)).toEqual(names);
  });

  it.skipIf(!isRoot)(`leaves a device as it is${needsRoot}`, async () => {
    execFileSync('mknod', [at('null'), 'c', '1', '3']);
    expect(await codeOf(() => save(at('null')))).toBe('GHOSTNET_FILE_UNWRITABLE');
    const { status } = spawnSync(process.execPath, [
      main,
      'convert',
      fileURLToPath(embeddedModel),
      at('null'),
    ]);
    expect(status).toBe(3);
    expect(lstatSync(at('null')).isCharacterDevice()).toBe(true);
  });

  it('follows links, and replaces what they lead to', async () => {
    mkdirSync(at('deep'));
    writeFileSync(at('deep/target'), 'old');
    symlinkSync('deep/target', at('link'));
    symlinkSync('link', at('chain'));
    await save(at('chain'));
    expect(lstatSync(at('chain')).isSymbolicLink()).toBe(true);
    expect(lstatSync(at('link')).isSymbolicLink()).toBe(true);
    isWeights(at('deep/target'));
    expect(readdirSync(at('deep'))).toEqual(['target']);
  });

  it('makes the file to which a link leads in vain', async () => {
    mkdirSync(at('deep'));
    symlinkSync('deep', at('folder'));
    symlinkSync('../deep/target', at('deep/link'));
    await save(at('folder/link'));
    expect(lstatSync(at('deep/link')).isSymbolicLink()).toBe(true);
    isWeights(at('deep/target'));
  });

  it('refuses a circle of links', async () => {
    symlinkSync('b', at('a'));
    symlinkSync('a', at('b'));
    expect(await codeOf(() => save(at('a')))).toBe('GHOSTNET_FILE_UNWRITABLE');
  });

  it.each([0o600, 0o640, 0o664])('keeps the mode %o of a file', async (mode) => {
    writeFileSync(at('file'), 'old');
    chmodSync(at('file'), mode);
    await save(at('file'));
    isWeights(at('file'));
    expect(statSync(at('file')).mode & 0o777).toBe(mode);
  });

  it.skipIf(!isRoot)(`keeps the owner of a file${needsRoot}`, async () => {
    writeFileSync(at('file'), 'old');
    chownSync(at('file'), 12_345, 23_456);
    await save(at('file'));
    expect(statSync(at('file'))).toMatchObject({ uid: 12_345, gid: 23_456 });
  });

  it('gives a new file the mode of the umask', () => {
    const convert = `umask 027; exec node ${main} convert ${fileURLToPath(embeddedModel)} ${at('new')}`;
    execFileSync('bash', ['-c', convert], { stdio: 'ignore' });
    expect(statSync(at('new')).mode & 0o777).toBe(0o640);
  });

  it('takes the longest name of a file', async () => {
    await save(at('é'.repeat(127)));
    expect(readdirSync(folder)).toEqual(['é'.repeat(127)]);
    expect(await codeOf(() => save(at('a'.repeat(256))))).toBe('GHOSTNET_FILE_UNWRITABLE');
  });

  it.each(['a\0b', ''])('refuses the path %j', async (path) => {
    expect(await codeOf(() => save(path))).toBe('GHOSTNET_INVALID_ARGUMENT');
  });

  it('leaves the old file, and nothing else, if the new one does not fit', async () => {
    writeFileSync(at('file'), 'old');
    const convert = `ulimit -f 100; exec node ${main} convert ${fileURLToPath(embeddedModel)} ${at('file')}`;
    const result = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
      execFile('bash', ['-c', convert], (error, _, stderr) => {
        resolve({ code: error?.code, stderr });
      });
    });
    expect(result.code).toBe(3);
    expect(result.stderr).toContain('GHOSTNET_FILE_UNWRITABLE');
    expect(readFileSync(at('file'), 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('is read whole or as it was, whenever it is read', async () => {
    await save(at('file'));
    const whole = readFileSync(at('file'));
    for (let round = 0; round < 5; round += 1) {
      const saving = save(at('file'));
      while (
        await Promise.race([saving.then(() => false), new Promise((resolve) => setImmediate(resolve, true))])
      ) {
        expect(readFileSync(at('file')).equals(whole)).toBe(true);
      }
    }
    expect(existsSync('/dev/null') && statSync('/dev/null').mode & constants.S_IFMT).toBe(constants.S_IFCHR);
  });
});
