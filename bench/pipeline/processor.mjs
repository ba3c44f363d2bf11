import { readFileSync } from 'node:fs';

// AMD's names by family and model. Other processors are known by their instruction sets only.
const generations = [
  { family: 25, models: [0x00, 0x0f], name: 'Zen 3' },
  { family: 25, models: [0x20, 0x5f], name: 'Zen 3' },
  { family: 25, models: [0x10, 0x1f], name: 'Zen 4' },
  { family: 25, models: [0x60, 0xaf], name: 'Zen 4' },
  { family: 26, models: [0x00, 0xff], name: 'Zen 5' },
];

/** What the model name of a virtual processor leaves out, such as 'Zen 4, AVX-512'; empty on any system but Linux. */
export function processorKind() {
  if (process.platform !== 'linux') return '';
  const text = readFileSync('/proc/cpuinfo', 'utf8');
  const field = (name) => new RegExp(`^${name}\\s*:\\s*(.*)$`, 'm').exec(text)?.[1] ?? '';
  const flags = new Set(field('flags').split(' '));
  const [family, model] = [Number(field('cpu family')), Number(field('model'))];
  const generation = generations.find(
    (one) => one.family === family && model >= one.models[0] && model <= one.models[1],
  );
  const amd = field('vendor_id') === 'AuthenticAMD';
  const widest = [
    ['avx512f', 'AVX-512'],
    ['avx2', 'AVX2'],
  ].find(([flag]) => flags.has(flag));
  return [amd ? generation?.name : undefined, widest?.[1]].filter(Boolean).join(', ');
}
