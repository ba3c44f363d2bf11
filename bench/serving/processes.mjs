import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const pathOf = (name) => fileURLToPath(new URL(name, import.meta.url));
const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** The processor's time of a process until now, all its threads, in milliseconds. */
function processorTime(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  const [user, system] = [fields[11], fields[12]].map(Number);
  // In ticks, of which Linux counts 100 a second.
  return (user + system) * 10;
}

/** Starts a server, and waits for the line of its log with which it is ready. */
async function start(args, isReady, stream) {
  const child = spawn(process.execPath, args, {
    stdio: ['pipe', stream === 'stdout' ? 'pipe' : 'inherit', stream === 'stderr' ? 'pipe' : 'inherit'],
    env: { ...process.env, MALLOC_ARENA_MAX: '2' },
  });
  let url;
  for await (const line of createInterface({ input: child[stream] })) {
    url ??= /http:\S+/.exec(line)?.[0];
    if (isReady(line)) break;
  }
  const ended = new Promise((resolve) => child.once('close', resolve));
  return {
    url,
    child,
    processorTime: () => processorTime(child.pid),
    close: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** `ghostnet serve` as it comes. */
export function ours({ weights }) {
  const args = [command, 'serve', '--model', `bench=${weights}`, '--port', '0', '--drain-delay', '0'];
  return start(args, (line) => line.includes('ready after'), 'stderr');
}

/** The handler on sharp and onnxruntime-node. */
export function peerServer(network, settings) {
  const { onnx, onnxOfPixels, mean, std } = network;
  const args = [
    pathOf('peer-server.mjs'),
    JSON.stringify({ network: { onnx, onnxOfPixels, mean, std }, settings }),
  ];
  return start(args, (line) => line.startsWith('http'), 'stdout');
}

/** A pipeline in a process of its own, which is told by lines of JSON to work for a while. */
export async function inProcess({ weights }, files) {
  const server = await start(
    [pathOf('in-process.mjs'), JSON.stringify({ weights, files })],
    () => true,
    'stdout',
  );
  const answers = createInterface({ input: server.child.stdout })[Symbol.asyncIterator]();
  return {
    ...server,
    async turn(callers, seconds) {
      server.child.stdin.write(`${JSON.stringify({ callers, seconds })}\n`);
      return JSON.parse((await answers.next()).value);
    },
  };
}
