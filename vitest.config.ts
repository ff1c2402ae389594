import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: ['test/helpers/build.ts'],
    include: ['test/**/*.test.ts'],
    globals: false,
    // Processes, not threads: the SQLite driver does not survive the end of a worker thread.
    pool: 'forks',
    // Files of one process share its modules: loading them anew for each was a third of the time, and no module keeps state of a world.
    isolate: false,
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    teardownTimeout: 5_000,
  },
});
