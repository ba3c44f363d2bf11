import { GhostNet } from 'ghostnet';
import { defineHandler } from 'nitro/h3';

let model: Promise<GhostNet> | undefined;

export default defineHandler(async (event) => {
  model ??= GhostNet.load();
  return (await model).classify(await event.req.arrayBuffer(), { topK: 1 });
});
