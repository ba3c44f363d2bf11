const { openQueue } = require('ghostnet/queue');

// No server listens there.
openQueue({ queue: 'images', redis: 'redis://127.0.0.1:1', connectTimeoutMs: 100 }).catch((error) => {
  console.log(`${error.code} ${error.remedy}`);
});
