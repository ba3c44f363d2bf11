import multipart from '@fastify/multipart';
import Fastify from 'fastify';
import { GhostNet } from 'ghostnet';

const model = await GhostNet.load();
const app = Fastify();
await app.register(multipart);
app.post('/form', async (request) => model.classify((await request.file()).file, { topK: 1 }));
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
