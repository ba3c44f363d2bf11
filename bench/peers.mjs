import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const folder = new URL('peers/', import.meta.url);
const requirePeer = createRequire(new URL('package.json', folder));

/** Thrown if the peers are not installed and the package registry does not answer. */
export class PeersUnreachable extends Error {}

const unreachable =
  /\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|E?TIMEDOUT|ENOTCACHED)\b/;

/** Installs the packages of bench/peers/package-lock.json unless they are installed. */
export function installPeers() {
  if (installed()) return;
  // Without scripts: the script of onnxruntime-node downloads CUDA libraries, which the benchmark does not use.
  const npm = spawnSync(
    'npm',
    ['ci', '--ignore-scripts', '--fetch-retries=1', '--fetch-retry-mintimeout=1000'],
    {
      cwd: fileURLToPath(folder),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  if (npm.error !== undefined) throw npm.error;
  if (npm.status === 0) return;
  if (unreachable.test(npm.stderr)) {
    throw new PeersUnreachable('it is not installed, and the npm registry cannot be reached');
  }
  throw new Error(`npm ci failed in bench/peers:\n${npm.stderr}`);
}

/** A package of bench/peers, after its installation. */
export function peer(name) {
  return requirePeer(name);
}

function installed() {
  const { dependencies } = readManifest('package.json');
  return Object.entries(dependencies).every(([name, version]) => {
    const manifest = `node_modules/${name}/package.json`;
    return existsSync(new URL(manifest, folder)) && readManifest(manifest).version === version;
  });
}

function readManifest(path) {
  return JSON.parse(readFileSync(new URL(path, folder), 'utf8'));
}
