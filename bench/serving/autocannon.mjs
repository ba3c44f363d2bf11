// node autocannon.mjs <what as JSON>: prints what the clients saw, as JSON.
import { readFileSync } from 'node:fs';

import autocannon from 'autocannon';

const { url, files, connections, seconds } = JSON.parse(process.argv[2]);
const requests = files.map((file) => ({
  method: 'POST',
  path: '/classify?topK=5',
  headers: { 'content-type': 'image/jpeg' },
  body: readFileSync(file),
}));
const result = await autocannon({ url, connections, duration: seconds, requests });
console.log(
  JSON.stringify({
    answered: result['2xx'],
    failed: result.non2xx + result.errors + result.timeouts,
    perSecond: result['2xx'] / result.duration,
    p50: result.latency.p50,
    p99: result.latency.p99,
  }),
);
