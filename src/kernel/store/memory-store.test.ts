import { describe } from "vitest";
import { createMemoryStore } from "./memory-store.ts";
import { storeCases } from "./store.cases.ts";

describe("the store in memory", () => {
  storeCases(async () => ({ store: createMemoryStore(), remove: async () => {} }));
});
