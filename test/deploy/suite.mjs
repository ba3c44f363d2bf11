// Runs the groups of checks in cases/, and keeps their results for the table of docs/install.md.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import sharp from 'sharp';

import { Project } from '../package/project.mjs';
import { nodeBinary } from '../package/tools.mjs';
import { bundlers } from './cases/bundlers.mjs';
import { images } from './cases/images.mjs';
import { jest } from './cases/jest.mjs';
import { lambda } from './cases/lambda.mjs';
import { loader } from './cases/loader.mjs';
import { next } from './cases/next.mjs';
import { nitro } from './cases/nitro.mjs';
import { runtimes } from './cases/runtimes.mjs';
import { servers } from './cases/servers.mjs';
import { vitest } from './cases/vitest.mjs';

const groups = { next, nitro, bundlers, jest, vitest, runtimes, servers, lambda, images, loader };

/** The Node of most checks; the package suite has all of them. */
const major = '22';

/** The tools of a group, which each of its checks gets. */
class Suite {
  totals = { passed: 0, failed: 0, skipped: 0 };
  rows = [];
  #registry;
  #projects = [];

  constructor(registry) {
    this.#registry = registry;
  }

  get registryUrl() {
    return this.#registry.url;
  }

  /** A folder with the files of apps/<name>, and what its package.json names, and ghostnet, installed. */
  async app(name, { packages = ['ghostnet'], flags = [] } = {}) {
    const files = fileURLToPath(new URL(`apps/${name}`, import.meta.url));
    const project = new Project(this.#registry, nodeBinary(major), 'npm', files);
    this.#projects.push(project);
    project.install(packages, flags);
    await sharp(join(project.app, 'photo.jpg')).png().toFile(join(project.app, 'photo.png'));
    return project;
  }

  /** Runs a check and counts it. A check returns a row of the table: where the package works, and with which version. */
  async check(title, action) {
    try {
      const row = await action();
      this.totals.passed += 1;
      if (row !== undefined) this.rows.push(row);
      console.log(`  ok      ${title}`);
    } catch (error) {
      this.totals.failed += 1;
      console.log(`  FAILED  ${title}\n${String(error.stack ?? error).replace(/^/gm, '          ')}`);
    }
  }

  skip(title, reason) {
    this.totals.skipped += 1;
    console.log(`  skipped ${title}: ${reason}`);
  }

  removeFolders() {
    for (const project of this.#projects.splice(0)) project.remove();
  }
}

/** @returns the totals, and the rows of the table */
export async function deploy({ registry, only = '' }) {
  const suite = new Suite(registry);
  for (const [name, group] of Object.entries(groups)) {
    if (!only.split(',').some((text) => name.includes(text))) continue;
    console.log(`\n${name}`);
    try {
      await group(suite);
    } catch (error) {
      suite.totals.failed += 1;
      console.log(`  FAILED  ${name}\n${String(error.stack ?? error).replace(/^/gm, '          ')}`);
    }
    suite.removeFolders();
  }
  return suite;
}

/** The table of docs/install.md. */
export function tableOf(rows) {
  const columns = ['where', 'version', 'checked'];
  return [columns, columns.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
