// Jest, with its defaults and with jsdom, and the lines of the page.
import assert from 'node:assert/strict';

import { commandsOf, filesOf } from '../page.mjs';
import { versionOf, write } from '../tools.mjs';

function passes(app, args) {
  const { status, stdout, stderr } = app.run('npx', ['jest', '--testTimeout=60000', ...args]);
  assert.equal(status, 0, `${stdout}${stderr}`);
  // Nothing is left open, and nobody is asked for --experimental-vm-modules.
  assert.doesNotMatch(stderr, /did not exit|experimental|torn down/);
}

export async function jest(suite) {
  const app = await suite.app('jest');
  await suite.check('its defaults', () => {
    passes(app, ['test']);
    return ['Jest', versionOf(app, 'jest'), 'its defaults; `jest.resetModules()`; several workers'];
  });
  await suite.check('two files in one process', () => {
    write(app, { 'test/second.test.js': "require('./photo.test.js');\n" });
    passes(app, ['--runInBand', 'test']);
    passes(app, ['--maxWorkers=2', 'test']);
  });
  await suite.check('jsdom', () => {
    passes(app, ['--env=jsdom', 'test']);
    return ['Jest, jsdom', versionOf(app, 'jest-environment-jsdom'), 'bytes, Blobs and signals of its realm'];
  });
  await suite.check('the lines of the page', () => {
    write(app, filesOf('Jest'));
    assert.deepEqual(commandsOf('Jest'), ['npm install ghostnet', 'npm install --save-dev jest', 'npx jest']);
    passes(app, ['ship.test.js']);
  });
}
