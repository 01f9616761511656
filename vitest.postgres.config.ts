import { configDefaults, defineConfig } from "vitest/config";

/** What says nothing about PostgreSQL, and why. */
const embeddedOnly = {
  "test/compute/full-disk.test.ts": "it fills the disk of the embedded store",
  "test/e2e/backup.test.ts": "it restores into data folders; test/postgres/migrate.test.ts does into PostgreSQL",
};

/** The whole suite with every platform and every server on one PostgreSQL, each in a schema of its own. */
export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, ...Object.keys(embeddedOnly)],
    globalSetup: ["src/testing/shared-postgres.ts"],
    setupFiles: ["src/testing/compile-cache.ts"],
    pool: "forks",
    maxWorkers: 2,
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    experimental: { viteModuleRunner: false },
  },
});
