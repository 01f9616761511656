import { defineConfig } from "vitest/config";

/** The long proofs: each has a short version in the ordinary suite. */
export default defineConfig({
  test: {
    include: ["test/soak/**/*.soak.ts"],
    pool: "forks",
    maxWorkers: 1,
    testTimeout: 3_600_000,
    hookTimeout: 600_000,
  },
});
