import { build } from "esbuild";

/** Bundles the program into dist/ so that it starts fast; native packages stay beside it. */
await build({
  entryPoints: ["src/main.ts"],
  outfile: "dist/main.mjs",
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node24",
  packages: "external",
  sourcemap: true,
  minifySyntax: true,
  logLevel: "warning",
});
