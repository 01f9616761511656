import { defineConfig } from "vitest/config";

/** The whole suite with every platform and every server on one PostgreSQL, each in a schema of its own. */
export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    globalSetup: ["src/testing/shared-postgres.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
