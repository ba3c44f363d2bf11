const { readFileSync } = require('node:fs');
const { Readable } = require('node:stream');
const { GhostNet, GhostNetError, Tensor } = require('ghostnet');

const png = 'photo.png'; // read by sharp; the JPEG by the package itself
const best = async (model, image) => (await model.classify(image, { topK: 1 }))[0].label;

test('classifies what people pass', async () => {
  const model = await GhostNet.load();
  const bytes = readFileSync(png);
  const copy = new Uint8Array(bytes);
  const images = [png, 'photo.jpg', bytes, copy, copy.buffer, Readable.from([bytes])];
  if (typeof Blob !== 'undefined') images.push(new Blob([copy]));
  if (typeof File !== 'undefined') images.push(new File([copy], png));
  for (const image of images) expect(await best(model, image)).toBe('ship');
  model.dispose();
});

test('takes typed arrays and signals of this realm', async () => {
  const model = await GhostNet.load();
  const input = Tensor.from(new Uint8Array(32 * 32 * 3), [1, 32, 32, 3]);
  const logits = await model.forward(input, { signal: new AbortController().signal });
  expect(logits.data).toHaveLength(10);
  expect(Tensor.from(new Float32Array(3), [3]).dtype).toBe('float32');
  const aborted = new AbortController();
  aborted.abort();
  await expect(model.forward(input, { signal: aborted.signal })).rejects.toMatchObject({
    code: 'GHOSTNET_ABORTED',
  });
  model.dispose();
});

test('rejects with an error that instanceof knows', async () => {
  const model = await GhostNet.load();
  const error = await model.classify(readFileSync(__filename)).catch((cause) => cause);
  expect(error).toBeInstanceOf(GhostNetError);
  expect(error.code).toBe('GHOSTNET_IMAGE_UNDECODABLE');
  await expect(model.classify('none.jpg')).rejects.toThrow('none.jpg');
});

test('works again after jest.resetModules()', async () => {
  jest.resetModules();
  const again = require('ghostnet');
  expect(again.GhostNet).not.toBe(GhostNet);
  const model = await again.GhostNet.load();
  expect(await best(model, 'photo.jpg')).toBe('ship');
});
