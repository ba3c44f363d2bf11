import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { root } from '../support/child.js';

const run = (...args: string[]) =>
  spawnSync(process.execPath, args, { cwd: fileURLToPath(root), encoding: 'utf8' });

const entries = [
  'ghostnet',
  'ghostnet/prometheus',
  'ghostnet/opentelemetry',
  'ghostnet/serve',
  'ghostnet/queue',
];

describe('require()', () => {
  it.each(entries)('%s: needs no ES module', (entry) => {
    // A loader of modules of its own, as Jest has one, cannot load one.
    const script = `
      const { readFileSync } = require('node:fs');
      require('node:module')._extensions['.mjs'] = (_, path) => { throw new Error('an ES module: ' + path); };
      const exported = require('${entry}');
      console.log(Object.keys(exported).length > 0);`;
    const flags = process.allowedNodeEnvironmentFlags.has('--experimental-require-module')
      ? ['--no-experimental-require-module']
      : [];
    const { stdout, stderr } = run(...flags, '--input-type=commonjs', '--eval', script);
    expect(stderr).toBe('');
    expect(stdout).toBe('true\n');
  });

  it.each(entries)('%s: gives what import gives', (entry) => {
    const script = `
      import { createRequire } from 'node:module';
      const required = createRequire(import.meta.url)('${entry}');
      const imported = await import('${entry}');
      for (const [name, value] of Object.entries(required))
        if (imported[name] !== value) console.log(name);`;
    const { stdout, stderr } = run('--input-type=module', '--eval', script);
    expect(stderr).toBe('');
    expect(stdout).toBe('');
  });
});

describe('the compiled package', () => {
  const dist = fileURLToPath(new URL('dist/', root));
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.js'),
  );

  it('has import() only in the command line, which no test runner loads', () => {
    const found = files.filter((name) =>
      /\bimport\(/.test(readFileSync(dist + name, 'utf8').replace(/^\s*(\/\/|\*).*$/gm, '')),
    );
    expect(found.filter((name) => !name.startsWith('cli/'))).toEqual([]);
  });

  it('asks for nothing by instanceof that another realm has, too', () => {
    const classes =
      /instanceof (?:Uint8Array|Float32Array|ArrayBuffer|Blob|File|URL|AbortSignal|Promise|RangeError|Map|Set|Date)\b/;
    expect(files.filter((name) => classes.test(readFileSync(dist + name, 'utf8')))).toEqual([]);
  });
});
