const express = require('express');
const multer = require('multer');
const { GhostNet } = require('ghostnet');

const model = GhostNet.load();
const upload = multer({ storage: multer.memoryStorage() });
const app = express();
app.post('/raw', express.raw({ type: '*/*', limit: '20mb' }), async (request, response) => {
  response.json(await (await model).classify(request.body, { topK: 1 }));
});
app.post('/form', upload.single('photo'), async (request, response) => {
  response.json(await (await model).classify(request.file.buffer, { topK: 1 }));
});
app.listen(Number(process.env.PORT), '127.0.0.1');
