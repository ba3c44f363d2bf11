import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { bundledFault } from '../../lib/bundled.js';

const folder = mkdtempSync(join(tmpdir(), 'ghostnet-bundled-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** The error for a bundle with this code, beside that of the package. */
function faultOf(code: string): Error {
  const file = join(folder, 'bundle.js');
  const own = new URL('../../dist/bundled.js', import.meta.url);
  writeFileSync(file, code + readFileSync(own, 'utf8'));
  return bundledFault(file);
}

describe('GHOSTNET_BUNDLED', () => {
  it.each([
    ['Next.js', 'globalThis.TURBOPACK', "serverExternalPackages: ['ghostnet']"],
    ['webpack', 'function __webpack_require__(id) {}', "externals: { ghostnet: 'commonjs ghostnet' }"],
    ['Bun', '// @bun\n', '--external ghostnet'],
    ['Vite', 'var __commonJSMin = 1;', "ssr: { external: ['ghostnet'] }"],
    ['esbuild', 'var __commonJS = 1;', '--external:ghostnet'],
  ])('names the line for %s, and no other', (name, code, line) => {
    const { message } = faultOf(code);
    expect(message).toContain(`Keep ghostnet external, in ${name}: \`${line}\``);
    expect(message.match(/`/g)).toHaveLength(2);
  });

  it('names the lines for all, where the code does not tell the bundler', () => {
    expect(faultOf('').message.match(/`/g)).toHaveLength(10);
  });

  it('knows Bun by the path of the source that it writes into a bundle', () => {
    expect(bundledFault(join(folder, 'none.js')).message).toContain('in Bun');
  });
});
