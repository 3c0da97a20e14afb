import { defineConfig } from 'vitest/config';

/** The cluster that the tests bring up for themselves, beside one that a person may have. */
const prefix = process.env.PREFIX ?? 'k8snet-test';

export default defineConfig({
  test: {
    reporters: ['default', './test/reporter.ts'],
    // Else one core is left idle, which on a small machine is half of it.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/cluster/**', 'test/netns/**'],
          setupFiles: ['test/unit-setup.ts'],
          pool: 'forks',
          testTimeout: 60_000,
          // The first to need it builds the CLI, which takes a while on a busy machine.
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'netns',
          include: ['test/netns/**/*.test.ts'],
          setupFiles: ['test/unit-setup.ts'],
          pool: 'forks',
          // One namespace after the other: what is measured is the kernel's, and the tests share its tables of names.
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts'],
          globalSetup: ['test/cluster/setup.ts'],
          env: { PREFIX: prefix },
          pool: 'forks',
          fileParallelism: false,
          // Once more: on a busy machine a probe may not keep its own time limit, and says so instead of giving a verdict.
          retry: 1,
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
    ],
  },
});
