import { readFileSync } from 'node:fs';

/** Whether the processor reports the bfloat16 instructions that the engine needs; Linux on x86-64 only. */
export const hasBfloat16 =
  process.platform === 'linux' && /^flags\s*:.*\bavx512_bf16\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'));

/** A suffix for the names of tests that need it, so that a list of skipped tests says why. */
export const needsBfloat16 = hasBfloat16 ? '' : ' (skipped: needs a processor with AVX512_BF16)';

/** Values of GHOSTNET_CPU_CAPABILITY for instruction sets without bfloat16 that every processor of this architecture has, or almost. */
export const narrow: readonly string[] = process.arch === 'arm64' ? ['default', 'neon'] : ['default', 'avx2'];
