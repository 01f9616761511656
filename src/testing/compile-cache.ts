import { enableCompileCache, flushCompileCache } from "node:module";
import { join } from "node:path";
import { afterAll } from "vitest";

/** Each process of the tests imports the platform: what V8 makes of it is kept for the next. */
enableCompileCache(join(import.meta.dirname, "../../.cache/compiled-tests"));
afterAll(() => flushCompileCache());
