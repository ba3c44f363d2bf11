// Bugs that the rig must catch. Each is a change in a copy of the kernel source; `from` must occur exactly once.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { kernels, linkMutant } from './rig.mjs';
import { inParallel, run } from './shell.mjs';

const reluOfBias = `[&] {
          Channels<T> v = load_floats<T>(a.primary_bias + map, count, false);
          for (float& f : v.value) f = rectified(f, a.relu);
          return v;
        }()`;

const mutants = [
  {
    name: 'barrier missing after the copies of a stage',
    file: 'product.cuh',
    from: 'reads the one before any more.\n    block_barrier();',
    to: 'reads the one before any more.',
  },
  {
    name: 'barrier missing before the stages are overwritten',
    file: 'product.cuh',
    from: '// The rows of intrinsic channels overwrite the stages.\n  block_barrier();',
    to: '',
  },
  {
    name: 'barrier missing before the cheap operation',
    file: 'product.cuh',
    from: '  block_barrier();\n}',
    to: '}',
  },
  {
    name: 'barrier in divergent code',
    file: 'product.cuh',
    from: '  block_barrier();\n}',
    to: '  if (rows > 0) block_barrier();\n}',
  },
  {
    name: 'nobody waits for the copies',
    file: 'product.cuh',
    from: 'async_wait<ahead - 1>();',
    to: '',
  },
  {
    name: 'the stage that was started last is not waited for',
    file: 'product.cuh',
    from: 'async_wait<ahead - 1>();',
    to: 'async_wait<ahead>();',
  },
  {
    name: 'no group for a stage that there is no more of',
    file: 'product.cuh',
    from: 'channel);\n    async_group();',
    to: 'channel);\n    if (channel < a.in_channels) async_group();',
  },
  {
    name: 'copies waited for only when a stage has been multiplied',
    file: 'product.cuh',
    from: ['    async_wait<ahead - 1>();\n', 'product.accumulate(shared + stage,'],
    to: ['', 'async_wait<ahead - 1>();\n    product.accumulate(shared + stage,'],
  },
  {
    name: 'a stage too few',
    file: 'product.cuh',
    from: 'stage == ahead * Tile::kStageBytes ? 0',
    to: 'stage == (ahead - 1) * Tile::kStageBytes ? 0',
  },
  {
    name: 'fragments of the weights swapped',
    file: 'product.cuh',
    from: 'sum_[i][j], x[i], weight[0], weight[1]',
    to: 'sum_[i][j], x[i], weight[1], weight[0]',
  },
  {
    name: 'rows of a fragment from the wrong lanes',
    file: 'product.cuh',
    from: 'first_row + i * 16 + lane % 16, step * 2 + lane / 16',
    to: 'first_row + i * 16 + lane / 2, step * 2 + lane % 2',
  },
  {
    name: 'ReLU before the bias',
    file: 'product.cuh',
    from: 'rectified(sums[i] + load_constant(a.primary_bias + first_map + channel + i), a.relu)',
    to: 'rectified(sums[i], a.relu) + load_constant(a.primary_bias + first_map + channel + i)',
  },
  {
    name: 'channels behind the last are read',
    file: 'staging.cuh',
    from: 'async_copy<16>(to, from, count > 0)',
    to: 'async_copy<16>(to, from, true)',
  },
  {
    name: 'the last map is not staged',
    file: 'staging.cuh',
    from: 'map < arguments_.intrinsic - first_map_ ?',
    to: 'map < arguments_.intrinsic - first_map_ - 1 ?',
  },
  {
    name: 'padding with relu(bias)',
    file: 'cheap_operation.cuh',
    from: [
      '        if (x + dx < 0 || x + dx >= a.width) continue;\n        const Channels<T> value = source.load(y, x + dx, local_map);',
    ],
    to: [
      `        const bool outside = x + dx < 0 || x + dx >= a.width;\n        const Channels<T> value = outside ? ${reluOfBias} : source.load(y, x + dx, local_map);`,
    ],
  },
  {
    name: 'halo left zero inside the image',
    file: 'fused_kernel.cuh',
    from: 'const BlockOutput<Tile> output(a, block, shared);',
    to: `for (int row = thread_index(); row < block.region.pixels(); row += Tile::kThreads) {
    const int y = block.region.top + row / block.region.width - block.tile.top;
    const int x = block.region.left + row % block.region.width - block.tile.left;
    if (y >= 0 && y < block.tile.height && x >= 0 && x < block.tile.width) continue;
    for (int i = 0; i < Tile::kRowBytes; i += 16) store16(shared + row * Tile::kIntrinsicStride + i, {});
  }
  block_barrier();
  const BlockOutput<Tile> output(a, block, shared);`,
  },
  {
    name: 'no halo',
    file: 'fused_kernel.cuh',
    from: 'const int half = a.cheap_size / 2;',
    to: 'const int half = 0;',
  },
  {
    name: 'tiles overlap by a row',
    file: 'fused_kernel.cuh',
    from: 'tile.height = min_of(a.tile_side, a.height - tile.top)',
    to: 'tile.height = min_of(a.tile_side + 1, a.height - tile.top)',
  },
  {
    name: 'a column too far to the right',
    file: 'cheap_operation.cuh',
    from: '        if (x + dx < 0 || x + dx >= a.width) continue;\n        const Channels<T> value',
    to: '        if (x + dx < 0 || x + dx > a.width) continue;\n        const Channels<T> value',
  },
  {
    name: 'shared memory read behind its end, to no effect',
    file: 'fused_kernel.cuh',
    from: 'const BlockOutput<Tile> output(a, block, shared);',
    to: 'load_shared16(shared + Tile::kSharedBytes);\n  const BlockOutput<Tile> output(a, block, shared);',
  },
  {
    name: 'the cut to the output channels forgotten',
    file: 'cheap_operation.cuh',
    from: 'if (count > room) count = room;',
    to: 'if (room <= 0) count = room;',
  },
  {
    name: '16-byte stores where the ghosts begin between',
    file: 'ghost_launch.cuh',
    from: 'uint64_t{1} * call.intrinsic * size,',
    to: '',
  },
  {
    name: 'ghosts of other maps where a map has several',
    file: 'cheap_operation.cuh',
    from: '(ghost + i) / a.ghosts_per_map - first_map',
    to: '(ghost + i) / a.ghosts_per_map',
  },
  {
    name: 'strips of rows overlap',
    file: 'fused_kernel.cuh',
    from: 'const int end = first + rows <',
    to: 'const int end = first + rows + 1 <',
  },
  {
    name: 'float32: columns of the product mixed up',
    file: 'product.cuh',
    dtype: 'float32',
    from: 'write(lane / 8 + i * 4, lane % 8 + j * 8, &sum_[i][j])',
    to: 'write(lane / 8 + i * 4, lane % 8 * kColumns + j, &sum_[i][j])',
  },
  {
    name: 'tf32: the lower bits cut off instead of rounded',
    file: 'product.cuh',
    dtype: 'tf32',
    from: 'fragment[i] = nearest_tensor_float(fragment[i]);',
    to: 'fragment[i] += 0;',
  },
  {
    name: 'tf32: only half of the sums written',
    file: 'product.cuh',
    dtype: 'tf32',
    from: 'Word<T>::pack(values), Word<T>::pack(values + 1)',
    to: 'Word<T>::pack(values), Word<T>::pack(values)',
  },
  {
    name: 'epilogue: the bias forgotten where a map has several ghosts',
    file: 'epilogue_kernel.cuh',
    from: 'load_element<T>(row(y, x), map) + load_constant(a.primary_bias + map)',
    to: 'load_element<T>(row(y, x), map)',
  },
  {
    name: 'epilogue: no ReLU behind the bias',
    file: 'epilogue_kernel.cuh',
    from: 'rectified(values.value[i] + bias.value[i], a.relu)',
    to: 'values.value[i] + bias.value[i]',
  },
  {
    name: 'epilogue: the sums of the first image for all',
    file: 'epilogue_kernel.cuh',
    from: 'a.x + share.image * a.image_bytes',
    to: 'a.x + 0 * a.image_bytes',
  },
  {
    name: 'pixels gated before their copies are waited for',
    file: 'product.cuh',
    from: ['async_wait<ahead - 1>();', 'stager.apply_gate(shared + stage, channel);'],
    to: ['', 'stager.apply_gate(shared + stage, channel);\n    async_wait<ahead - 1>();'],
  },
  {
    name: 'pixels gated that another thread has copied',
    file: 'staging.cuh',
    from: 'char* const at = stage + stage_offset(row(i), chunk());',
    to: 'char* const at = stage + stage_offset(row(i) ^ 1, chunk());',
  },
  {
    name: 'gates of the first image for all',
    file: 'staging.cuh',
    from: 'return block_index() / (a.channel_tiles * a.tiles);',
    to: 'return 0 * a.tiles;',
  },
  {
    name: "gates of the first pixel's image for a tile of several",
    file: 'staging.cuh',
    from: 'Tile::kPixels + row;\n    return',
    to: 'Tile::kPixels + 0 * row;\n    return',
  },
  {
    name: 'stem: the padding is normalised too',
    file: 'stem_kernel.cuh',
    from: 'if (column < 0 || column >= a.width) continue;\n        const float value = stem_input<bytes>(a, input, row, column, c);',
    to: 'const bool outside = column < 0 || column >= a.width;\n        const float value = outside ? (bytes ? a.shift[c] : 0.f) : stem_input<bytes>(a, input, row, column, c);',
  },
  {
    name: 'stem: red and blue exchanged',
    file: 'stem_kernel.cuh',
    from: '* a.scale[channel] + a.shift[channel]',
    to: '* a.scale[2 - channel] + a.shift[2 - channel]',
  },
  {
    name: 'depthwise: a row too far down',
    file: 'depthwise_kernel.cuh',
    from: 'if (row < 0 || row >= a.height) continue;',
    to: 'if (row < 0 || row > a.height) continue;',
  },
  {
    name: 'depthwise: pixels behind the end of a row',
    file: 'depthwise_kernel.cuh',
    from: 'if (first + i >= a.out_width) break;',
    to: '',
  },
  {
    name: 'depthwise: the kernel begins at the pixel instead of half of it before',
    file: 'depthwise_kernel.cuh',
    from: '(first + i) * a.stride + dx - before',
    to: '(first + i) * a.stride + dx - 0 * before',
  },
  {
    name: 'depthwise: rows and columns of the kernel exchanged',
    file: 'depthwise_kernel.cuh',
    from: '(dy * a.kernel_width + dx) * a.channels',
    to: '(dx * a.kernel_height + dy) * a.channels',
  },
  {
    name: 'depthwise: the columns of the kernel are as many as its rows',
    file: 'depthwise_kernel.cuh',
    from: 'a.kernel_width = call.kernel_width;',
    to: 'a.kernel_width = call.kernel_height;',
  },
  {
    name: 'halve: an odd last row counts',
    file: 'halve_kernel.cuh',
    from: 'a.out_height = call.height / 2;',
    to: 'a.out_height = (call.height + 1) / 2;',
  },
  {
    name: 'halve: the first of four pixels',
    file: 'halve_kernel.cuh',
    from: 'for (int i = 0; i < 4; ++i) {',
    to: 'for (int i = 0; i < 1; ++i) {',
  },
  {
    name: 'halve: three pixels of one row',
    file: 'halve_kernel.cuh',
    from: 'i / 2 * a.width + i % 2',
    to: 'i',
  },
  {
    name: 'attention: the hard sigmoid',
    file: 'attention_kernel.cuh',
    from: 'value.value[j] *= sigmoid(gate.value[j]);',
    to: 'value.value[j] *= (rectified(gate.value[j] + 3, true) > 6 ? 6.f : rectified(gate.value[j] + 3, true)) / 6;',
  },
  {
    name: 'attention: every second pixel, whatever the size of the plane',
    file: 'attention_kernel.cuh',
    from: 'y * a.gate_height / a.height, column = x * a.gate_width / a.width',
    to: '(y / 2 < a.gate_height ? y / 2 : a.gate_height - 1), column = (x / 2 < a.gate_width ? x / 2 : a.gate_width - 1)',
  },
  {
    name: 'attention: the gate of the first image',
    file: 'attention_kernel.cuh',
    from: '(image * a.gate_height + row) * a.gate_width + column;',
    to: '(0 * image + row) * a.gate_width + column;',
  },
  {
    name: 'attention: rows and columns of the gate exchanged',
    file: 'attention_kernel.cuh',
    from: '(image * a.gate_height + row) * a.gate_width + column;',
    to: '(image * a.gate_height + column) * a.gate_width + row;',
  },
  {
    name: 'means: barrier missing before the sums are added',
    file: 'means_kernel.cuh',
    from: 'block_barrier();',
    to: '',
  },
  {
    name: 'means: the last row of sums forgotten',
    file: 'means_kernel.cuh',
    from: 'for (int i = 0; i < kMeansRows; ++i) total',
    to: 'for (int i = 0; i < kMeansRows - 1; ++i) total',
  },
  {
    name: 'means: channels behind the last are written',
    file: 'means_kernel.cuh',
    from: 'if (channel >= tile || first + channel >= a.channels) return;',
    to: 'if (channel >= tile) return;',
  },
  {
    name: 'dense: rows behind the last are read',
    file: 'dense_kernel.cuh',
    from: ['if (i >= rows) break;\n      const Channels<T> values'],
    to: ['const Channels<T> values'],
  },
  {
    name: 'dense: lanes that have no depth left do not add',
    file: 'dense_kernel.cuh',
    from: 'float mine = 0;',
    to: 'if (lane * kVector<T> >= a.depth) return;\n  float mine = 0;',
  },
  {
    name: 'dense: the gate is not bounded above',
    file: 'dense_kernel.cuh',
    from: '(moved > 6 ? 6.f : moved) / 6',
    to: 'moved / 6',
  },
  {
    name: 'addition: more than there is',
    file: 'addition_kernel.cuh',
    from: 'const int count = left < kVector<T> ? static_cast<int>(left) : kVector<T>;',
    to: 'const int count = left > 0 ? kVector<T> : 0;',
  },
];

// What is compiled in layers_*.cu; the others are in products_*.cu.
const layers = readFileSync(join(kernels, 'layers.cuh'), 'utf8');

function plant({ name, file, from, to }, root) {
  const folder = join(root, 'kernels', 'cuda');
  mkdirSync(folder, { recursive: true });
  cpSync(kernels, folder, { recursive: true });
  let text = readFileSync(join(folder, file), 'utf8');
  for (const [index, old] of [from].flat().entries()) {
    // Matches however the formatter breaks the line.
    const pattern = new RegExp(old.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\s+/g, '\\s+'), 'g');
    const times = text.match(pattern)?.length ?? 0;
    if (times !== 1) throw new Error(`mutant "${name}": its text occurs ${times} times in ${file}`);
    text = text.replace(pattern, () => [to].flat()[index]);
  }
  writeFileSync(join(folder, file), text);
}

async function runMutant(objects, mutant, index) {
  const dtype = mutant.dtype ?? 'float16';
  const source = `${layers.includes(`"${mutant.file}"`) ? 'layers' : 'products'}_${dtype}.cu`;
  const root = join('build', 'cuda-on-cpu', `mutant-${index}`);
  rmSync(root, { recursive: true, force: true });
  try {
    plant(mutant, root);
    const program = await linkMutant(objects, root, [source], join(root, 'rig'));
    const { status, signal, output } = await run(program, ['--edges', dtype]);
    if (status === 0) return { caught: false, by: 'NOTHING' };
    if (signal === 'SIGKILL') return { caught: false, by: 'no answer in ten minutes' };
    if (signal) return { caught: true, by: `crash (${signal})` };
    const [, fault = ''] = output.split('\n');
    return status === 1 && fault ? { caught: true, by: fault.trim() } : { caught: false, by: output };
  } catch (error) {
    return { caught: false, by: error.message };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

export async function runMutants(objects) {
  const results = await inParallel(mutants, async (mutant, index) => {
    const { caught, by } = await runMutant(objects, mutant, index);
    console.log(`${caught ? 'caught' : 'MISSED'}  ${mutant.name}\n          ${by}`);
    return caught;
  });
  const passed = results.filter(Boolean).length;
  return { passed, failed: results.length - passed };
}
