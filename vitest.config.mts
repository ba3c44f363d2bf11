import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    testTimeout: 30_000,
    // Each process has its own LibTorch threads, so more processes than processors would only take turns.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/{unit,golden,docs}/**/*.test.ts'],
          typecheck: {
            enabled: true,
            include: ['test/types/**/*.test-d.ts'],
            tsconfig: 'test/tsconfig.json',
          },
        },
      },
      // Tests of which most start processes of Node.js: commands, faults, exits, memory.
      { extends: true, test: { name: 'processes', include: ['test/processes/**/*.test.ts'] } },
    ],
  },
});
