import { enableCompileCache, flushCompileCache } from "node:module";
import { join } from "node:path";
import { afterAll } from "vitest";

/** Every test file imports the platform in a process of its own: what V8 makes of it is kept for the next. */
enableCompileCache(join(import.meta.dirname, "../../.cache/compiled-tests"));
afterAll(() => flushCompileCache());
