import { rm } from "node:fs/promises";
import { build } from "esbuild";

/**
 * Bundles the program into dist/ so that it starts fast. What is imported only on some paths (a service's table, a
 * command's SDK client) stays in a file of its own and is loaded when it is first needed; packages stay beside.
 */
await rm("dist", { recursive: true, force: true });
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
