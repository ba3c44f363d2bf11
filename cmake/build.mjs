// Builds the native addon: node cmake/build.mjs [--tests]
import { availableParallelism } from 'node:os';

import { cmakeJs, configure } from './configure.mjs';

try {
  configure({ tests: process.argv.includes('--tests') });
  // Without a number of jobs, make would run one job at a time.
  const jobs = process.env.CMAKE_BUILD_PARALLEL_LEVEL ?? availableParallelism();
  cmakeJs(['build'], { CMAKE_BUILD_PARALLEL_LEVEL: jobs });
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
