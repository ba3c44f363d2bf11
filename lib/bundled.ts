import { readFileSync } from 'node:fs';

import { GhostNetError } from './errors.js';

/** A bundler, how its output is recognised, and how it is told to leave the package alone. */
interface Bundler {
  readonly name: string;
  /** @param code - of the bundle; undefined if there is no file where it says that it is */
  readonly wrote: (code: string | undefined) => boolean;
  readonly line: string;
  readonly place: string;
}

// The first that matches: Next.js uses webpack or Turbopack. This code is in the bundle, too: no pattern matches itself.
const bundlers: readonly Bundler[] = [
  {
    name: 'Next.js',
    wrote: (code) => process.env.NEXT_RUNTIME !== undefined || /TURBOPAC[K]|__turbopack[_]/.test(code ?? ''),
    line: "serverExternalPackages: ['ghostnet']",
    place: 'next.config',
  },
  {
    name: 'webpack',
    wrote: (code) => /__webpack_requir[e]__/.test(code ?? ''),
    line: "externals: { ghostnet: 'commonjs ghostnet' }",
    place: 'webpack.config',
  },
  {
    name: 'Bun',
    // It writes the path of the source in place of __filename.
    wrote: (code) => code === undefined || /^\/\/ @bu[n]\b/m.test(code),
    line: '--external ghostnet',
    place: 'the arguments of bun build',
  },
  {
    name: 'Vite',
    wrote: (code) => /__commonJSMi[n]|getDefaultExportFromCj[s]/.test(code ?? ''),
    line: "ssr: { external: ['ghostnet'] }",
    place: 'vite.config',
  },
  {
    name: 'esbuild',
    wrote: (code) => /__commonJ[S]\b/.test(code ?? ''),
    line: '--external:ghostnet',
    place: 'the arguments of esbuild',
  },
];

/**
 * The error for a package that a bundler has copied into another file, away from its native parts.
 *
 * @param file - that file, if it is known
 */
export function bundledFault(file: string | undefined): GhostNetError {
  // Without a name of its own, a bundle is most likely the program.
  const code = textOf(file ?? process.argv[1] ?? '');
  const bundler = bundlers.find(({ wrote }) => wrote(code));
  const lines = (bundler === undefined ? bundlers : [bundler]).map(
    ({ name, line, place }) => `in ${name}: \`${line}\` in ${place}`,
  );
  return new GhostNetError('GHOSTNET_BUNDLED', 'ghostnet was bundled, away from its native parts', {
    found: file === undefined ? 'its code in a bundle' : `its code in ${file}`,
    expected: 'it in node_modules, where its native binary, LibTorch and the model lie beside it',
    remedy: `Keep ghostnet external, ${lines.join('; ')}.`,
  });
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
