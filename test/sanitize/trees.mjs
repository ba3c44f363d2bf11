// The build trees of the sanitizers, which are kept: build/address and build/thread.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import { cacheOf, configure } from '../../cmake/configure.mjs';

/** A tree whose code is watched by some sanitizers. */
export class Tree {
  constructor(name, sanitizers) {
    this.name = name;
    this.folder = join('build', name);
    this.sanitizers = sanitizers;
    /** Where the sanitizers write what they find: tests may keep standard error of their processes to themselves. */
    this.reports = join(this.folder, 'reports');
  }

  /** Configures the tree once, and builds some of its targets. @throws {Error} if that fails */
  build(...targets) {
    if (
      cacheOf(this.folder).GHOSTNET_SANITIZE !== this.sanitizers ||
      !existsSync(join(this.folder, 'build.ninja'))
    ) {
      configure({
        build: this.folder,
        tests: true,
        options: [`--CDGHOSTNET_SANITIZE=${this.sanitizers}`],
      });
    }
    const jobs = process.env.CMAKE_BUILD_PARALLEL_LEVEL ?? String(availableParallelism());
    const args = ['--build', this.folder, '--config', 'Release', '--parallel', jobs];
    const { status } = spawnSync('cmake', [...args, '--target', ...targets], { stdio: 'inherit' });
    if (status !== 0) throw new Error(`cmake --build ${this.folder} ended with ${status}`);
  }

  /** The environment of a process that runs code of the tree. */
  environment() {
    rmSync(this.reports, { recursive: true, force: true });
    mkdirSync(this.reports, { recursive: true });
    const log = `log_path=${join(process.cwd(), this.reports, this.name)}`;
    return {
      // A test asks for more memory than there is. Node and LibTorch free nothing at their end.
      ASAN_OPTIONS: `${log}:allocator_may_return_null=1:detect_leaks=0`,
      UBSAN_OPTIONS: `${log}:halt_on_error=1:print_stacktrace=1`,
      TSAN_OPTIONS: `${log}:halt_on_error=1`,
    };
  }

  /** What the sanitizers found since environment() was called. */
  findings() {
    const texts = readdirSync(this.reports).map((name) => readFileSync(join(this.reports, name), 'utf8'));
    // A warning that there is not so much memory is what a test wants.
    return texts.filter((text) => /\bERROR: |runtime error: |WARNING: ThreadSanitizer/.test(text));
  }
}

export const address = new Tree('address', 'address,undefined');
export const thread = new Tree('thread', 'thread');
