import { access, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { FunctionSpec } from "./compute.ts";

/** Larger handlers are bundles, which bring what they use. */
const handlerBytesMax = 262_144;
const imports = /(?:\brequire\(|\bfrom|\bimport\(?)\s*["']@aws-sdk\//u;

/** Whether a Node.js function loads the AWS SDK that its runtime has, as far as its handler's file tells. */
export async function usesRuntimeSdk(spec: FunctionSpec): Promise<boolean> {
  if (!spec.runtime.startsWith("nodejs")) return false;
  const own = [spec.codeDir, ...(spec.layersDir === undefined ? [] : [join(spec.layersDir, "nodejs")])];
  for (const folder of own) if (await exists(join(folder, "node_modules", "@aws-sdk"))) return false;
  const module = spec.handler.replace(/\.[^/]*$/u, "");
  for (const extension of ["js", "mjs", "cjs"]) {
    const file = join(spec.codeDir, `${module}.${extension}`);
    const size = await stat(file).then(
      (found) => found.size,
      () => undefined,
    );
    if (size !== undefined) return size <= handlerBytesMax && imports.test(await readFile(file, "utf8"));
  }
  return false;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
