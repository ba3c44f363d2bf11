// An object store, as far as signed addresses go, with the faults that such have.
import { once } from 'node:events';
import { createServer } from 'node:http';

/** @param photo - the bytes of a JPEG */
export async function startOrigin(photo) {
  const counts = new Map();
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://origin');
    const count = (counts.get(pathname) ?? 0) + 1;
    counts.set(pathname, count);
    const answers = {
      '/photos/good.jpg': () => response.end(photo),
      '/photos/busy.jpg': () => (count <= 2 ? response.writeHead(503).end() : response.end(photo)),
      '/photos/reset.jpg': () => (count <= 1 ? request.socket.destroy() : response.end(photo)),
      '/photos/moved.jpg': () =>
        response.writeHead(302, { location: '/photos/good.jpg?signature=hidden' }).end(),
      '/photos/away.jpg': () => response.writeHead(302, { location: '/private/secret.jpg' }).end(),
      '/photos/large.jpg': () => endless(response),
      '/private/secret.jpg': () => response.end(photo),
    };
    // An answer that never comes.
    if (pathname.startsWith('/waiting/')) return;
    if (searchParams.get('signature') !== 'hidden') response.writeHead(403).end();
    else (answers[pathname] ?? (() => response.writeHead(404).end()))();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requests: (path) => counts.get(path) ?? 0,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function endless(response) {
  const chunk = Buffer.alloc(65_536);
  const write = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', write);
  response.on('error', () => undefined);
  write();
}
