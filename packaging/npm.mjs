import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

// The npm that runs this script, or else the npm beside this Node.
function entry() {
  if (process.env.npm_execpath?.endsWith('npm-cli.js')) return process.env.npm_execpath;
  const { stdout } = spawnSync('npm', ['root', '--global'], { encoding: 'utf8' });
  const path = join(stdout.trim(), 'npm', 'bin', 'npm-cli.js');
  return existsSync(path)
    ? path
    : join(dirname(process.execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js');
}

export const npm = {
  /** npm-cli.js, to be run by node. */
  entry: entry(),

  /** Packs a folder as it is, without scripts. @returns the path of the tarball */
  pack(folder, destination) {
    const args = [npm.entry, 'pack', '--json', '--ignore-scripts', '--pack-destination', destination];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    if (status !== 0) throw new Error(`npm pack failed in ${folder}: ${stderr}`);
    const report = JSON.parse(stdout);
    const [packed] = Object.values(report); // a list; since npm 12 an object
    return join(destination, packed.filename.replace('@', '').replace('/', '-'));
  },
};
