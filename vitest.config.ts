import { defineConfig } from 'vitest/config'

// unit       nothing but this process: unit tests, and a short form of the simulation
// providers  each provider against its real server (test/servers starts them)
// cluster    real processes of the built package, the examples, the code blocks of the documentation
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/{unit,simulation}/**/*.test.ts'], testTimeout: 20_000 } },
      {
        test: {
          name: 'providers',
          include: ['test/providers/**/*.test.ts'],
          globalSetup: ['test/servers/global-setup.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'cluster',
          include: ['test/{cluster,cli,chaos,dashboard,docs,examples,decorators,adapters,package,compat}/**/*.test.ts'],
          maxConcurrency: 2,
          globalSetup: ['test/cluster/global-setup.ts', 'test/servers/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
