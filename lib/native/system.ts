import { GhostNetError } from '../errors.js';
import { manifest } from '../package-files.js';

/** The properties that determine whether a prebuilt binary can run. */
export interface System {
  readonly platform: string;
  readonly arch: string;
  /** The version of glibc that Node uses; undefined with another C library. */
  readonly glibc: string | undefined;
}

/** The system that this process runs on. Takes tens of milliseconds. */
export function thisSystem(): System {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return { platform: process.platform, arch: process.arch, glibc: header.glibcVersionRuntime };
}

/** The reason why the prebuilt binaries for Linux cannot run on a system, if there is one. */
export function faultOf({ platform, glibc }: System): GhostNetError | undefined {
  if (platform !== 'linux') return undefined;
  const { floor } = manifest;
  if (glibc === undefined) {
    return new GhostNetError('GHOSTNET_UNSUPPORTED_LIBC', 'The prebuilt binaries need glibc', {
      found: 'a Node built for another C library, usually musl (Alpine Linux)',
      expected: `glibc ${floor.glibc} or later`,
    });
  }
  if (!isAtLeast(glibc, floor.glibc)) {
    return new GhostNetError('GHOSTNET_SYSTEM_TOO_OLD', 'The glibc of this system is too old', {
      found: `glibc ${glibc}`,
      expected: `glibc ${floor.glibc} or later`,
    });
  }
  return undefined;
}

function isAtLeast(version: string, floor: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [floorMajor = 0, floorMinor = 0] = floor.split('.').map(Number);
  return major > floorMajor || (major === floorMajor && minor >= floorMinor);
}
