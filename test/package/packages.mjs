// Makes the packages as a release does, and lays them into build/packages.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { packLibTorch } from '../../packaging/libtorch.mjs';
import { packGhostnet } from '../../packaging/pack.mjs';
import { manifest, packages, root } from '../../packaging/project.mjs';

/** Runs a script of packaging/ that builds binaries; ends the process if it fails. */
export function makeBinaries(script = 'prebuild.mjs') {
  const { status } = spawnSync(process.execPath, [join('packaging', script)], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(1);
}

/** Packs LibTorch's package for this platform, and ghostnet in its version and others. @returns the tarballs */
export function makePackages(otherVersions = []) {
  const platform = `${process.platform}-${process.arch}`;
  // Packages of other runs are removed, so that they are not published. LibTorch stays, because packing it takes a minute.
  for (const name of existsSync(packages) ? readdirSync(packages) : []) {
    if (name !== `ghostnet-libtorch-${platform}-${manifest.libtorch.version}.tgz`) {
      rmSync(join(packages, name), { recursive: true });
    }
  }
  const libtorch = packLibTorch(platform);
  const own = { only: [platform] };
  for (const version of otherVersions) packGhostnet(version, own);
  return { libtorch, ghostnet: packGhostnet(manifest.version, own) };
}
