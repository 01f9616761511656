import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    setupFiles: ["src/testing/compile-cache.ts"],
    pool: "forks",
    maxWorkers: 2,
    // Two processes for all files: nothing of the product is kept by modules, and loading it costs more than most files do.
    isolate: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Sources run as they are, here too (decision 0002): Node imports them, and keeps what it has compiled.
    experimental: { viteModuleRunner: false },
  },
});
