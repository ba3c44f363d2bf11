import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';
import { describe, expect, it } from 'vitest';

import { manifest } from '../../packaging/project.mjs';
import { root } from '../support/child.js';

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** The files of lib/ and the files that each imports, for types alone or not. */
function filesOf(lib: string): Graph {
  const names = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.[cm]?ts$/.test(name),
  );
  return new Map(
    names.map((name) => {
      const { importedFiles } = ts.preProcessFile(readFileSync(join(lib, name), 'utf8'));
      const own = importedFiles.filter(({ fileName }) => fileName.startsWith('.'));
      const paths = own.map(({ fileName }) => join(dirname(name), fileName.replace(/js$/, 'ts')));
      return [name, new Set(paths)];
    }),
  );
}

/** The folders of lib/ and the folders that each imports from; a file of the root stands for itself. */
function roomsOf(files: Graph): Graph {
  const roomOf = (file: string): string => file.split('/')[0] ?? '';
  const rooms = new Map<string, Set<string>>();
  for (const [file, imported] of files) {
    const room = rooms.get(roomOf(file)) ?? new Set();
    rooms.set(roomOf(file), room);
    for (const other of imported) if (roomOf(other) !== roomOf(file)) room.add(roomOf(other));
  }
  return rooms;
}

/** A circle of a graph, from a node back to itself; empty when there is none. */
function circleOf(graph: Graph): readonly string[] {
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): readonly string[] => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return [];
    for (const next of graph.get(node) ?? []) {
      const circle = visit(next, [...path, node]);
      if (circle.length > 0) return circle;
    }
    done.add(node);
    return [];
  };
  return [...graph.keys()].map((node) => visit(node, [])).find((circle) => circle.length > 0) ?? [];
}

describe('the imports of lib/, those of types included', () => {
  const lib = fileURLToPath(new URL('lib/', root));
  const files = filesOf(lib);

  it('are all found', () => {
    const imported = new Set([...files.values()].flatMap((names) => [...names]));
    expect([...imported].filter((name) => !files.has(name))).toEqual([]);
    // Every file is reached from a door of the package.
    expect([...files.keys()].filter((name) => !imported.has(name)).sort()).toEqual([
      'cli/main.ts',
      'cli/try-binary.ts',
      'index.cts',
      'index.mts',
      'opentelemetry.cts',
      'opentelemetry.mts',
      'prometheus.cts',
      'prometheus.mts',
    ]);
  });

  it('of the root entry and the command line do not lead to what needs an optional peer', () => {
    const reached = new Set(['index.ts', 'cli/main.ts']);
    for (const file of reached) for (const next of files.get(file) ?? []) reached.add(next);
    expect(reached).toContain('pipeline/events.ts');
    expect([...reached].filter((file) => file.startsWith('observability/'))).toEqual([]);
  });

  it('of an optional peer are of types alone', () => {
    const { peerDependencies } = manifest as { peerDependencies: Record<string, string> };
    const peers = Object.keys(peerDependencies);
    const lines = [...files.keys()].flatMap((name) =>
      readFileSync(join(lib, name), 'utf8')
        .split('\n')
        .filter((line) => peers.some((peer) => line.endsWith(` from '${peer}';`))),
    );
    expect(lines.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(
      peers.map(() => 'import type'),
    );
  });

  it('make no circle of files', () => {
    expect(circleOf(files)).toEqual([]);
  });

  it('make no circle of folders', () => {
    expect(circleOf(roomsOf(files))).toEqual([]);
  });

  it('would be seen to make one', () => {
    const graph = new Map([
      ['a', new Set(['b'])],
      ['b', new Set(['c', 'd'])],
      ['c', new Set<string>()],
      ['d', new Set(['b'])],
    ]);
    expect(circleOf(graph)).toEqual(['b', 'd', 'b']);
  });
});
