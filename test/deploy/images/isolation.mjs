// What a container adds to a root file system, by the tools of util-linux and coreutils: a mount namespace, a read-only root, a user.
import { spawnSync } from 'node:child_process';

/** Why this machine cannot isolate a command; undefined if it can. */
export function isolation() {
  if (process.getuid?.() !== 0) return 'it needs the rights of root';
  const { status } = spawnSync('unshare', ['--mount', 'true']);
  return status === 0 ? undefined : 'unshare cannot make a mount namespace here';
}

const quoted = (word) => `'${word.replaceAll("'", "'\\''")}'`;

/** A command on the whole file system of this machine, read-only, as nobody. */
export function readOnly(command, cwd) {
  const script = [
    // The PATH of a project has only node and a few programs.
    'PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin',
    'mount --make-rprivate /',
    'for m in $(cut -d" " -f5 /proc/self/mountinfo | sort -r); do mount -o remount,ro,bind "$m" 2>/dev/null || :; done',
    `cd ${quoted(cwd)}`,
    `exec setpriv --reuid=65534 --regid=65534 --clear-groups ${command.map(quoted).join(' ')}`,
  ].join('\n');
  return ['/usr/bin/unshare', '--mount', '/bin/sh', '-c', script];
}

/**
 * A command in a root file system.
 *
 * @param options - `user` in numbers, `isReadOnly`, `cwd` inside, `env`
 */
export function inRoot(root, command, { user = '0:0', isReadOnly = false, cwd = '/', env = {} }) {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  // Distroless has no program that changes the folder, and needs none.
  const inside = cwd === '/' ? command : ['/usr/bin/env', '-C', cwd, ...command];
  const script = [
    'mount --make-rprivate /',
    `mount --bind ${quoted(root)} ${quoted(root)}`,
    `mount --rbind /dev ${quoted(`${root}/dev`)}`,
    ...(isReadOnly ? [`mount -o remount,ro,bind ${quoted(root)}`] : []),
    `mount -t proc proc ${quoted(`${root}/proc`)}`,
    `exec /usr/bin/env -i ${variables.map(quoted).join(' ')} /usr/sbin/chroot --userspec=${user} ${quoted(root)} ${inside.map(quoted).join(' ')}`,
  ].join('\n');
  return ['/usr/bin/unshare', '--mount', '--pid', '--fork', '--kill-child', '/bin/sh', '-c', script];
}
