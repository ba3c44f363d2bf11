// Formats the C and C++ sources, or with --check lists the files that are not formatted.
import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { createRequire } from 'node:module';

import { globSync } from 'tinyglobby';

const { clangFormatPath } = createRequire(import.meta.url)('clang-format-node');
const files = globSync('native/**/*.{h,c,cpp,cu,cuh}');
const mode = process.argv.includes('--check') ? ['--dry-run', '--Werror'] : ['-i'];
// npm may have installed the binary without running its install script, which does only this.
chmodSync(clangFormatPath, 0o755);
process.exit(spawnSync(clangFormatPath, [...mode, ...files], { stdio: 'inherit' }).status ?? 1);
