import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { copyRuntimeSdk } from "./runtime-sdk.ts";

/**
 * Bundles the program into dist/ so that it starts fast. What is imported only on some paths (a service's table, a
 * command's SDK client) stays in a file of its own and is loaded when it is first needed; packages stay beside.
 */
for (const name of await readdir("dist").catch(() => [])) {
  // What a host's JDK has compiled of runtimes/java is found again by what it was made from.
  if (name !== "java") await rm(join("dist", name), { recursive: true, force: true });
}
await build({
  entryPoints: { main: "src/main.ts" },
  outdir: "dist",
  outExtension: { ".js": ".mjs" },
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node24",
  packages: "external",
  minifySyntax: true,
  minifyWhitespace: true,
  logLevel: "warning",
});
await copyRuntimeSdk("dist/sdk/node_modules");
