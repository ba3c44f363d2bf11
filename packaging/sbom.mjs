// Writes a bill of materials (CycloneDX) for each package in build/packages/, beside its tarball: what npm installs with it, and the
// native code in it.
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { inBinaries, inGpuLibrary, inLibTorch } from './components.mjs';
import { npm } from './npm.mjs';
import { manifest, packages, root } from './project.mjs';

/** A component of CycloneDX. */
function component({ name, version, licence, purl, source }) {
  return {
    'bom-ref': purl ?? name,
    type: 'library',
    name,
    ...(version === undefined ? {} : { version }),
    scope: 'required',
    ...(purl === undefined ? {} : { purl }),
    ...(licence === undefined ? {} : { licenses: [{ expression: licence }] }),
    ...(source === undefined
      ? {}
      : {
          externalReferences: [
            { type: 'distribution', url: source.url, hashes: [{ alg: 'SHA-256', content: source.sha256 }] },
          ],
        }),
  };
}

/** The packages that are installed with ghostnet, as package-lock.json has them: not those for its development. */
function installedWithIt() {
  const { packages: locked } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const names = Object.entries(locked)
    .filter(([path, { dev, devOptional, peer }]) => path !== '' && !dev && !devOptional && !peer)
    .map(([path, { version }]) => `${path.slice(path.lastIndexOf('node_modules/') + 13)}@${version}`);
  return new Set(names);
}

/** What npm tells of a package. `npm sbom --omit=dev` leaves out what development needs too, so everything is asked for. */
function npmBill() {
  const args = [npm.entry, 'sbom', '--sbom-format=cyclonedx', '--package-lock-only'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`npm sbom: ${stderr}`);
  const bill = JSON.parse(stdout);
  const wanted = installedWithIt();
  const kept = new Set([bill.metadata.component['bom-ref']]);
  bill.components = bill.components.filter(({ name, version, 'bom-ref': reference }) => {
    const isWanted = wanted.has(`${name}@${version}`);
    if (isWanted) kept.add(reference);
    return isWanted;
  });
  bill.dependencies = bill.dependencies
    .filter(({ ref }) => kept.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) }));
  return bill;
}

/** The package itself, with the checksum of its tarball. */
function subject(tarball, name, version) {
  const content = createHash('sha512').update(readFileSync(tarball)).digest('hex');
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return {
    'bom-ref': purl,
    type: 'library',
    name,
    version,
    purl,
    hashes: [{ alg: 'SHA-512', content }],
  };
}

function write(tarball, bill) {
  const path = tarball.replace(/\.tgz$/, '.cdx.json');
  writeFileSync(path, `${JSON.stringify(bill, null, 2)}\n`);
  console.log(`${path.slice(root.length)}: ${bill.components.length} components`);
  return path;
}

/** @returns the path of the bill of ghostnet */
export function billOfGhostnet(tarball, version = manifest.version) {
  const bill = npmBill();
  const hasGpuLibrary = spawnSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).stdout.includes('_cuda.so');
  const own = subject(tarball, manifest.name, version);
  const before = bill.metadata.component['bom-ref'];
  bill.metadata.component = { ...bill.metadata.component, ...own };
  const native = [...inBinaries, ...(hasGpuLibrary ? inGpuLibrary : [])].map(component);
  bill.components.push(...native);
  bill.dependencies = bill.dependencies.map(({ ref, dependsOn }) =>
    ref === before
      ? { ref: own['bom-ref'], dependsOn: [...dependsOn, ...native.map((part) => part['bom-ref'])] }
      : { ref, dependsOn },
  );
  return write(tarball, bill);
}

/** @returns the path of the bill of a package of LibTorch */
export function billOfLibTorch(tarball) {
  const place = mkdtempSync(join(packages, 'unpacked-'));
  try {
    const { status, stderr } = spawnSync('tar', ['-xzf', tarball, '-C', place], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`tar ${tarball}: ${stderr}`);
    return write(tarball, libTorchBill(tarball, join(place, 'package')));
  } finally {
    rmSync(place, { recursive: true });
  }
}

function libTorchBill(tarball, folder) {
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const libraries = readdirSync(join(folder, 'lib')).map((library) => join(folder, 'lib', library));
  const { torch, thirdParty, added } = inLibTorch(libraries, join(folder, 'licenses'));
  const folders = new Set(added.map((part) => part.folder));
  const own = subject(tarball, name, version);
  const components = [torch, ...added, ...thirdParty.filter((part) => !folders.has(part.folder))].map(
    component,
  );
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { component: own },
    components,
    dependencies: [{ ref: own['bom-ref'], dependsOn: components.map((part) => part['bom-ref']) }],
  };
}

if (process.argv[1] === import.meta.filename) {
  const tarballs = existsSync(packages) ? readdirSync(packages).filter((name) => name.endsWith('.tgz')) : [];
  if (tarballs.length === 0) throw new Error('There are no packages: run `npm run pack:ghostnet` first');
  for (const name of tarballs) {
    const tarball = join(packages, name);
    if (name.startsWith('ghostnet-libtorch-')) billOfLibTorch(tarball);
    else billOfGhostnet(tarball, /^ghostnet-(.*)\.tgz$/.exec(name)[1]);
  }
}
