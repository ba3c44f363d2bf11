import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { forgetOtherPlace } from '../../cmake/configure.mjs';
import { messageFor, prerequisites } from '../../cmake/prerequisites.mjs';

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ghostnet-prerequisites-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

// Programs that stand in for those of a machine: each is a line of shell.
const programs = {
  'c++': 'cat >/dev/null; echo 12.2.0',
  cmake: 'echo cmake version 3.25.1',
  make: 'echo GNU Make 4.3',
  nasm: 'echo NASM version 2.16.01',
  python3: 'echo pip 23.0.1 from python3',
  'apt-get': 'echo apt 2.6.1',
};
type Programs = Partial<Record<string, string>>;

function check(changes: Programs = {}, args: readonly string[] = ['--tests'], env = {}) {
  const bin = mkdtempSync(join(folder, 'bin-'));
  const all: Programs = { ...programs, ...changes };
  for (const [name, line] of Object.entries(all)) {
    if (line === undefined) continue;
    writeFileSync(join(bin, name), `#!/bin/sh\nPATH=/usr/bin:/bin\n${line}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  // A copy of the script: the clone may have LibTorch already.
  const clone = mkdtempSync(join(folder, 'clone-'));
  for (const name of ['CMakeLists.txt', 'package.json', 'packaging/project.mjs', 'cmake/prerequisites.mjs']) {
    mkdirSync(dirname(join(clone, name)), { recursive: true });
    writeFileSync(join(clone, name), readFileSync(path(name)));
  }
  const command = [join(clone, 'cmake', 'prerequisites.mjs'), ...args];
  return spawnSync(process.execPath, command, { encoding: 'utf8', env: { PATH: bin, ...env } });
}

describe('a machine to build on', () => {
  it('passes without a word when everything is there', () => {
    const { status, stdout, stderr } = check();
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it.each([
    ['c++', 'a C++20 compiler', 'g++'],
    ['cmake', 'CMake 3.22', 'cmake'],
    ['make', 'make or ninja', 'make'],
    ['python3', 'pip', 'python3-pip'],
  ])('without %s is reported in one message with the line to type', (program, name, debian) => {
    const { status, stderr } = check({ [program]: undefined }, []);
    expect(status).toBe(1);
    expect(stderr).toContain(`  - ${name}`);
    expect(stderr.match(/^ {2}- /gm)).toHaveLength(1);
    expect(stderr).toMatch(
      new RegExp(
        `^  (sudo )?apt-get update && (sudo )?apt-get install ${debian.replace(/\+/g, '\\+')}$`,
        'm',
      ),
    );
  });

  it('needs NASM on x64 only, and may name it', () => {
    const { status, stderr } = check({ nasm: undefined }, []);
    expect(status).toBe(process.arch === 'x64' ? 1 : 0);
    if (process.arch === 'x64') expect(stderr).toContain('apt-get install nasm\n');
    expect(check({ nasm: undefined }, [], { ASM_NASM: join('elsewhere', 'nasm') }).status).toBe(0);
  });

  it('needs GoogleTest for the tests only', () => {
    const withoutIt = { 'c++': 'if grep -q gtest; then exit 1; fi; echo 12.2.0' };
    expect(check(withoutIt, []).status).toBe(0);
    expect(check(withoutIt).stderr).toContain('apt-get install libgtest-dev');
    expect(check(withoutIt, ['--tests'], { GTest_DIR: join('elsewhere', 'gtest') }).status).toBe(0);
  });

  it('may have ninja instead of make, and clang++ instead of c++', () => {
    const others = {
      make: undefined,
      ninja: 'echo 1.11.1',
      'c++': undefined,
      'clang++': 'cat >/dev/null; echo 16.0',
    };
    expect(check(others).status).toBe(0);
  });

  it('needs no pip where LibTorch is named', () => {
    expect(check({ python3: undefined }, [], { LIBTORCH: join('elsewhere', 'libtorch') }).status).toBe(0);
    expect(check({ python3: undefined }, [], { LIBTORCH_USE_PYTORCH: '1' }).status).toBe(0);
  });

  it('is reported with versions that are too old, and the lines for newer ones', () => {
    const { status, stderr } = check({
      'c++': 'case $1 in --version | -dumpfullversion) echo 9.4.0;; *) exit 1;; esac',
      cmake: 'echo cmake version 3.16.3',
      python3: 'echo pip 20.0.2 from python3',
    });
    expect(status).toBe(1);
    for (const version of ['9.4.0', '3.16.3', '20.0.2']) expect(stderr).toContain(`${version} was found`);
    expect(stderr).toContain("python3 -m pip install 'cmake>=3.22' && python3 -m pip install --upgrade pip");
  });

  it('gives a script the Debian packages', () => {
    const { status, stdout } = check({ make: undefined, cmake: undefined }, ['--packages']);
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'cmake make\n' });
    expect(check({}, ['--packages']).stdout).toBe('\n');
  });

  it('gets the line of its own package manager', () => {
    const all = prerequisites.map((needed) => ({ ...needed, found: '' }));
    expect(messageFor(all, 'apt-get', false)).toContain(
      '\n  sudo apt-get update && sudo apt-get install g++ ',
    );
    expect(messageFor(all, 'dnf', true)).toContain('\n  dnf install gcc-c++ ');
    expect(messageFor(all, 'brew', false)).toContain('\n  brew install ');
    expect(messageFor(all, undefined, false)).toMatch(/Install them, then run the command again\.$/);
  });
});

describe('the list of packages', () => {
  const debian = prerequisites.map(({ packages }) => packages['apt-get']).join(' ');

  it('is the one that the README gives', () => {
    const [, listed] = /apt-get install ([^`\n]+)/.exec(readFileSync(path('README.md'), 'utf8')) ?? [];
    expect(listed).toBe(debian);
  });

  it('stands nowhere else', () => {
    for (const name of ['.ci/run', '.github/workflows/release.yml', '.github/workflows/pull-request.yml']) {
      const text = readFileSync(path(name), 'utf8');
      expect(text).not.toContain('libgtest-dev');
    }
  });
});

describe('the optional tests', () => {
  const entries = JSON.parse(readFileSync(path('test/optional.json'), 'utf8')) as {
    suite: string;
    files: string[];
    command?: string;
    apt?: string[];
    pip?: string[];
    needs?: string;
  }[];

  it.each(entries)(
    'are there, and what they need is named: $suite',
    ({ files, command, apt, pip, needs }) => {
      for (const file of files) expect(existsSync(path(file)), file).toBe(true);
      const packages = [...(apt ?? []), ...(pip ?? [])];
      if (command === undefined) expect(needs).toBeTruthy();
      else expect(packages).not.toEqual([]);
      for (const wheel of pip ?? []) expect(wheel).toMatch(/^[\w-]+==[\d.]+$/);
    },
  );
});

describe('a build tree that was configured at another place', () => {
  function tree(source: string): string {
    const build = mkdtempSync(join(folder, 'build-'));
    mkdirSync(join(build, 'CMakeFiles', '3.25.1'), { recursive: true });
    mkdirSync(join(build, 'packages'));
    mkdirSync(join(build, 'libjpeg-turbo'));
    writeFileSync(
      join(build, 'CMakeCache.txt'),
      `CMAKE_CACHEFILE_DIR:INTERNAL=${build}\nCMAKE_HOME_DIRECTORY:INTERNAL=${source}\n`,
    );
    return build;
  }
  const contents = (build: string) =>
    ['CMakeCache.txt', 'CMakeFiles', 'libjpeg-turbo', 'packages'].filter((name) =>
      existsSync(join(build, name)),
    );

  it('is removed, and other files in the folder stay', () => {
    const build = tree('/a/clone/that/is/gone');
    forgetOtherPlace(build);
    expect(contents(build)).toEqual(['packages']);
    const copied = tree(folder);
    forgetOtherPlace(copied);
    expect(contents(copied)).toEqual(['packages']);
  });

  it('stays as it is when it was not moved', () => {
    const build = tree(path('.'));
    forgetOtherPlace(build);
    expect(contents(build)).toEqual(['CMakeCache.txt', 'CMakeFiles', 'libjpeg-turbo', 'packages']);
    const empty = mkdtempSync(join(folder, 'build-'));
    forgetOtherPlace(empty);
    expect(existsSync(empty)).toBe(true);
  });
});
