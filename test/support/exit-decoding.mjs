// Ends the process with code 7 while a document is rendered, which takes hours: each level draws the one below eight times.
import { GhostNet } from 'ghostnet';

const levels = Array.from({ length: 12 }, (_, level) => {
  const content = level === 0 ? '<rect width="1" height="1"/>' : `<use href="#l${level - 1}"/>`.repeat(8);
  return `<g id="l${level}">${content}</g>`;
});
const svg = Buffer.from(
  `<svg xmlns="http://www.w3.org/2000/svg" width="500" height="500"><defs>${levels.join('')}</defs><use href="#l11"/></svg>`,
);
const model = await GhostNet.load();
const pipeline = model.pipeline({ documents: true });
void pipeline.run(svg).finally(() => console.log('settled'));
process.on('exit', (code) => console.log('exit', code));
setTimeout(() => process.exit(7), 500);
