// Builds the native part: node cmake/build.mjs [--tests]
import { availableParallelism } from 'node:os';

import { cmakeJs, configure } from './configure.mjs';

try {
  configure({ tests: process.argv.includes('--tests') });
  // By itself make runs one compiler at a time.
  const jobs = process.env.CMAKE_BUILD_PARALLEL_LEVEL ?? availableParallelism();
  cmakeJs(['build'], { CMAKE_BUILD_PARALLEL_LEVEL: jobs });
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
