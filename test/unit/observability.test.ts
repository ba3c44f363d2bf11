import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import * as ghostnet from 'ghostnet';
import * as opentelemetry from 'ghostnet/opentelemetry';
import * as prometheus from 'ghostnet/prometheus';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { root } from '../support/child.js';
import { parseExposition } from '../support/exposition.js';
import { gradient, toSharp } from '../support/pictures.js';

/** What a CommonJS script prints that runs in a folder. */
function evaluate(script: string, folder: string | URL): string {
  return execFileSync(process.execPath, ['--input-type=commonjs', '--eval', script], {
    cwd: folder,
    encoding: 'utf8',
  });
}

describe('ghostnet/prometheus and ghostnet/opentelemetry', () => {
  it('have one function each', () => {
    expect(Object.keys(prometheus)).toEqual(['registerMetrics']);
    expect(Object.keys(opentelemetry)).toEqual(['instrument']);
  });

  it.each([
    ['ghostnet/prometheus', 'registerMetrics'],
    ['ghostnet/opentelemetry', 'instrument'],
  ])('are the same for require() and import: %s', (entry, name) => {
    // In a process of its own: a test runner imports in its own way.
    const script = `
      const { ${name} } = require('${entry}');
      import('${entry}').then((imported) => console.log(typeof ${name}, imported.${name} === ${name}));`;
    expect(evaluate(script, root)).toBe('function true\n');
  });

  it('are not part of ghostnet', () => {
    expect(Object.keys(ghostnet)).not.toContain('registerMetrics');
    expect(Object.keys(ghostnet)).not.toContain('instrument');
  });
});

describe('a peer that is not installed', () => {
  let folder: string;
  beforeAll(() => {
    // Outside the clone, whose node_modules would be found.
    folder = mkdtempSync(join(tmpdir(), 'ghostnet-peers-'));
    const installed = join(folder, 'node_modules', 'ghostnet');
    mkdirSync(installed, { recursive: true });
    cpSync(new URL('dist', root), join(installed, 'dist'), { recursive: true });
    cpSync(new URL('package.json', root), join(installed, 'package.json'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const calls: [string, string, string][] = [
    ['ghostnet/prometheus', 'prom-client', 'registerMetrics({ stats() {} }, { model: "m" })'],
    ['ghostnet/opentelemetry', '@opentelemetry/api', 'instrument()'],
    [
      'ghostnet/serve',
      '@grpc/grpc-js',
      'addGrpcServices({ addService() {} }, part.createHandler({ m: new Promise(() => {}) }))',
    ],
  ];
  it.each(calls)('%s: GHOSTNET_PEER_NOT_INSTALLED says how to install %s', (entry, peer, call) => {
    const user = entry === 'ghostnet/serve' ? 'gRPC in ghostnet/serve' : entry;
    for (const load of [`await import('${entry}')`, `require('${entry}')`]) {
      const script = `(async () => {
        const part = ${load};
        try { part.${call}; } catch ({ name, code, message }) { console.log(JSON.stringify({ name, code, message })); }
      })();`;
      expect(JSON.parse(evaluate(script, folder))).toEqual({
        name: 'GhostNetError',
        code: 'GHOSTNET_PEER_NOT_INSTALLED',
        message: `${user} needs the package ${peer}. Found no such package. Install it: \`npm install ${peer}\`.`,
      });
    }
  });
});

describe('the examples of docs/observability.md', () => {
  const page = readFileSync(new URL('docs/observability.md', root), 'utf8');
  const examples = [...page.matchAll(/^```(js|cjs)\n(.*?)^```$/gms)].map(([, kind = '', code = '']) => ({
    kind,
    code,
  }));
  let folder: string;
  beforeAll(async () => {
    mkdirSync(new URL('build', root), { recursive: true });
    folder = mkdtempSync(fileURLToPath(new URL('build/examples-', root)));
    writeFileSync(join(folder, 'photo.jpg'), await toSharp(gradient(300, 200)).jpeg().toBuffer());
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  /** Runs an example as it is written, but for its port, with statements at its end. */
  function run(index: number, end = ''): string {
    const { kind, code } = examples[index] ?? { kind: '', code: '' };
    const path = join(folder, `example-${index}.${kind === 'js' ? 'mjs' : 'cjs'}`);
    writeFileSync(path, `${code.replace('9464', '0')}${end}`);
    const { status, stdout, stderr } = spawnSync(process.execPath, [path], { cwd: folder, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    return stdout;
  }

  it('are three', () => {
    expect(examples.map(({ kind }) => kind)).toEqual(['js', 'js', 'cjs']);
  });

  it('serve metrics', () => {
    const end = `
      const response = await fetch('http://127.0.0.1:' + server.address().port);
      console.log(response.headers.get('content-type'));
      console.log(await response.text());
      server.close();
      server.closeAllConnections();`;
    const [type, ...lines] = run(0, end).split('\n');
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8');
    const { values } = parseExposition(lines.join('\n'));
    expect(values.get('nv_inference_request_success{model="everyday",version="1"}')).toBe(1);
  });

  it('list every metric', () => {
    const end = 'console.log(await register.metrics()); server.close();';
    const { types } = parseExposition(run(0, end));
    const rows = [...page.matchAll(/^\| `(\w+)` +\| (counter|gauge|histogram) +\|/gm)];
    expect(rows.map(([, name, type]) => [name, type])).toEqual([...types]);
  });

  it('print spans', () => {
    const printed = run(1);
    const names = [...printed.matchAll(/^ {2}name: '(.*)',$/gm)].map(([, name]) => name);
    expect(names.sort()).toEqual([
      'ghostnet.compute',
      'ghostnet.decode',
      'ghostnet.image',
      'ghostnet.queue',
      'ghostnet.wait',
      'request',
    ]);
    expect(printed).toContain("'app.model': 'everyday'");
    for (const name of names.filter((one) => one !== 'request')) expect(page).toContain(`| \`${name}\``);
  });

  it('listen to the channels', () => {
    const lines = run(2).trim().split('\n');
    expect(lines).toContain('the queue was full');
    expect(lines).toEqual(expect.arrayContaining([expect.stringMatching(/^succeeded \d+ ms$/)]));
    expect(lines).toEqual(expect.arrayContaining([expect.stringMatching(/^1 in a batch, \d+ ms$/)]));
    expect(lines.at(-1)).toMatch(/succeeded: 1, rejected: 1, mean: \d/);
  });
});
