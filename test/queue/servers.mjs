// Servers of the suite, each on a free port of the loopback, with its data in a folder of its own.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';
import pg from 'pg';

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** In every address of a Redis here, and so never to be seen in what a command prints. */
export const password = 'sesame-3141';

/** A redis-server with a password, an append-only file, and no eviction. */
export class RedisServer {
  static isInstalled() {
    return spawnSync('redis-server', ['--version']).status === 0;
  }

  /** @param host - where it listens beside the loopback */
  static async start(folder, host) {
    mkdirSync(folder, { recursive: true });
    const server = new RedisServer();
    server.folder = folder;
    server.port = await freePort();
    server.host = host;
    server.url = `redis://:${password}@127.0.0.1:${server.port}`;
    await server.restart();
    server.client = new Redis(server.url, { maxRetriesPerRequest: null, retryStrategy: () => 100 });
    server.client.on('error', () => undefined);
    return server;
  }

  async restart() {
    const settings = {
      port: this.port,
      bind: ['127.0.0.1', this.host].filter(Boolean).join(' '),
      dir: this.folder,
      appendonly: 'yes',
      save: '',
      'maxmemory-policy': 'noeviction',
      requirepass: password,
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [
      `--${name}`,
      ...(name === 'bind' ? value.split(' ') : [String(value)]),
    ]);
    this.child = spawn('redis-server', args, { stdio: 'ignore' });
    for (let tries = 0; !(await accepts(this.port)); tries++) {
      if (tries > 100) throw new Error('redis-server does not start');
      await sleep(100);
    }
  }

  /** As the system does when memory is short. */
  async kill() {
    this.child.kill('SIGKILL');
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
  }

  async stop() {
    this.client.disconnect();
    await this.kill();
  }
}

async function accepts(port) {
  const socket = connect(port, '127.0.0.1');
  const result = await Promise.race([
    once(socket, 'connect').then(
      () => true,
      () => false,
    ),
    sleep(1000, false),
  ]);
  socket.destroy();
  return result;
}

/**
 * A connection through which nothing passes during a partition: what is sent stays unanswered, and both sides believe that the
 * connection is there. `cut` breaks all connections at once.
 */
export class Proxy {
  static async start(target) {
    const proxy = new Proxy();
    proxy.pairs = new Set();
    proxy.isSilent = false;
    proxy.server = createServer((near) => {
      const far = connect(target, '127.0.0.1');
      const pair = [near, far];
      proxy.pairs.add(pair);
      for (const [from, to] of [pair, [far, near]]) {
        from.on('data', (data) => {
          if (!to.write(data)) from.pause();
        });
        to.on('drain', () => {
          if (!proxy.isSilent) from.resume();
        });
        from.on('error', () => undefined);
        from.on('close', () => {
          to.destroy();
          proxy.pairs.delete(pair);
        });
      }
      if (proxy.isSilent) for (const socket of pair) socket.pause();
    }).listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    proxy.url = `redis://:${password}@127.0.0.1:${proxy.server.address().port}`;
    return proxy;
  }

  async partition(milliseconds) {
    this.isSilent = true;
    for (const pair of this.pairs) for (const socket of pair) socket.pause();
    await sleep(milliseconds);
    this.isSilent = false;
    for (const pair of this.pairs) for (const socket of pair) socket.resume();
  }

  cut() {
    for (const pair of this.pairs) for (const socket of pair) socket.destroy();
  }

  stop() {
    this.cut();
    this.server.close();
  }
}

/** A PostgreSQL of its own. Its programs refuse to run as root. */
export class PostgresServer {
  static programs() {
    const debian = '/usr/lib/postgresql';
    const folders = existsSync(debian)
      ? readdirSync(debian).map((version) => join(debian, version, 'bin'))
      : [];
    const folder = folders.find((path) => existsSync(join(path, 'initdb')));
    if (folder !== undefined) return folder;
    return spawnSync('initdb', ['--version']).status === 0 ? '' : undefined;
  }

  static async start() {
    const server = new PostgresServer();
    server.programs = PostgresServer.programs();
    server.user = process.getuid() === 0 ? 'postgres' : undefined;
    // Not below the folder of the suite, which no other user may enter.
    const folder = mkdtempSync(join(tmpdir(), 'ghostnet-postgres-'));
    if (server.user !== undefined) chownSync(folder, ...idsOf(server.user));
    server.folder = folder;
    server.data = join(folder, 'data');
    server.port = await freePort();
    server.url = `postgres://ghostnet@127.0.0.1:${server.port}/postgres`;
    server.run('initdb', ['-D', server.data, '-U', 'ghostnet', '--auth=trust', '--no-sync']);
    server.control('start');
    return server;
  }

  run(program, args) {
    const path = join(this.programs, program);
    const [command, ...rest] =
      this.user === undefined ? [path, ...args] : ['runuser', '-u', this.user, '--', path, ...args];
    const { status, stderr, stdout } = spawnSync(command, rest, { encoding: 'utf8', cwd: this.folder });
    if (status !== 0) throw new Error(`${program}: ${stderr || stdout}`);
  }

  control(action) {
    const options = ['-o', `-p ${this.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=`];
    this.run('pg_ctl', [
      ...['-D', this.data, '-w', '-l', join(this.folder, 'log'), '-m', 'immediate'],
      ...(action === 'start' ? options : []),
      action,
    ]);
  }

  async query(text) {
    const client = new pg.Client({ connectionString: this.url });
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  }

  stop() {
    this.control('stop');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function idsOf(user) {
  return ['-u', '-g'].map((flag) => Number(spawnSync('id', [flag, user], { encoding: 'utf8' }).stdout));
}
