import { readFileSync } from 'node:fs';
import { globSync } from 'tinyglobby';
import { describe, expect, it } from 'vitest';

/** The folders of native/ that each folder may include from; docs/development.md draws the same map. */
const mayInclude: Record<string, readonly string[]> = {
  base: [],
  image: ['base', 'model', 'kernels/cpu'],
  model: ['base'],
  'kernels/cpu': ['base'],
  'kernels/cuda': ['base'],
  engine: ['base', 'image', 'model', 'kernels/cpu'],
  'engine/cpu': ['base', 'image', 'model', 'kernels/cpu', 'engine'],
  'engine/cuda': ['base', 'image', 'model', 'kernels/cuda', 'engine'],
  glibc: [],
  cuda_runtime: ['base', 'kernels/cuda', 'engine/cuda'],
  modules: ['base', 'model'],
  operator: ['base', 'model', 'kernels/cpu'],
  'operator/cuda': ['base', 'kernels/cuda', 'operator'],
  runtime: [
    'base',
    'image',
    'model',
    'modules',
    'operator',
    'engine',
    'engine/cpu',
    'engine/cuda',
    'kernels/cpu',
  ],
  training: ['base', 'image', 'model', 'engine', 'modules', 'runtime'],
  addon: ['base', 'image', 'model', 'engine', 'engine/cuda', 'runtime', 'training'],
};
/** The only folders that see LibTorch. */
const seesLibTorch = new Set(['modules', 'operator', 'operator/cuda', 'runtime', 'training']);
const libTorch = /^(torch|ATen|c10)\//;

function folderOf(file: string): string {
  return file.split('/').slice(0, -1).join('/');
}

const files = globSync('native/**/*.{h,cpp,cu,cuh}', { ignore: 'native/test/**' });

describe('native/', () => {
  it('has no folder beyond the map', () => {
    const folders = new Set(files.map((file) => folderOf(file.slice('native/'.length))));
    const known = (folder: string): boolean =>
      Object.keys(mayInclude).some((room) => folder === room || folder.startsWith(`${room}/`));
    expect([...folders].filter((folder) => !known(folder))).toEqual([]);
  });

  it.each(Object.entries(mayInclude))('%s includes only from the folders below it', (room, allowed) => {
    const faults: string[] = [];
    for (const file of files) {
      const folder = folderOf(file.slice('native/'.length));
      const owner = Object.keys(mayInclude)
        .filter((name) => folder === name || folder.startsWith(`${name}/`))
        .sort((a, b) => b.length - a.length)[0];
      if (owner !== room) continue;
      for (const [, kind, path = ''] of readFileSync(file, 'utf8').matchAll(/^#include (["<])([^">]+)/gm)) {
        if (kind === '<') {
          if (libTorch.test(path) && !seesLibTorch.has(room)) faults.push(`${file} includes ${path}`);
          if (/^(jpeglib|jerror)\.h$/.test(path) && room !== 'image') faults.push(`${file} includes ${path}`);
          if (path === 'napi.h' && room !== 'addon') faults.push(`${file} includes ${path}`);
        } else if (path.includes('/')) {
          const target = folderOf(path);
          const isOwn = target === room || (room !== 'engine' && target.startsWith(`${room}/`));
          if (!isOwn && !allowed.includes(target)) faults.push(`${file} includes ${path}`);
        }
      }
    }
    expect(faults).toEqual([]);
  });
});
