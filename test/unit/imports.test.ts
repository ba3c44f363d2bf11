import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';
import { describe, expect, it } from 'vitest';

import { manifest } from '../../packaging/project.mjs';
import { root } from '../support/child.js';

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** Imports of types, and import(), which loads a file at its first use. */
const notAtOnce = /^import type .*?;$|\bimport\('.*?'\)/gms;

/** The files of lib/ and the files that each imports: all, or those that are loaded with it. */
function filesOf(lib: string, kind: 'all' | 'at once' = 'all'): Graph {
  const names = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.[cm]?ts$/.test(name),
  );
  return new Map(
    names.map((name) => {
      const text = readFileSync(join(lib, name), 'utf8');
      const { importedFiles } = ts.preProcessFile(kind === 'all' ? text : text.replace(notAtOnce, ''));
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

/** Nodes, and all to which they lead. */
function reachedFrom(nodes: readonly string[], graph: Graph): readonly string[] {
  const reached = new Set(nodes);
  for (const node of reached) for (const next of graph.get(node) ?? []) reached.add(next);
  return [...reached];
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
      'index.mts',
      'opentelemetry.mts',
      'prometheus.mts',
      'queue.mts',
      'serve.mts',
    ]);
  });

  it('of the root entry and the command line do not lead to what needs an optional peer', () => {
    const needPeers = (file: string) => /^(observability|queue|results|serve)\//.test(file);
    const ofRoot = reachedFrom(['index.ts'], files);
    expect(ofRoot).toContain('pipeline/events.ts');
    expect(ofRoot.filter(needPeers)).toEqual([]);
    // A command may load them when it runs.
    const ofCommands = reachedFrom(
      [...files.keys()].filter((file) => file.startsWith('cli/')),
      filesOf(lib, 'at once'),
    );
    expect(ofCommands).toContain('model/ghostnet.ts');
    expect(ofCommands.filter(needPeers)).toEqual([]);
  });

  it('of an optional peer are of types alone', () => {
    const { peerDependencies } = manifest as { peerDependencies: Record<string, string> };
    const peers = Object.keys(peerDependencies);
    const imports = [...files.keys()].flatMap((name) =>
      [
        ...readFileSync(join(lib, name), 'utf8').matchAll(/^(import|export) (.*?) from '([^.'][^']*)';/gms),
      ].map(([, keyword = '', names = '', from = '']) => ({
        from,
        isOfTypes: `${keyword} ${names}`.startsWith('import type '),
      })),
    );
    const ofPeers = imports.filter(({ from }) => peers.includes(from));
    expect([...new Set(ofPeers.map(({ from }) => from))].sort()).toEqual([...peers].sort());
    expect(ofPeers.filter(({ isOfTypes }) => !isOfTypes)).toEqual([]);
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
