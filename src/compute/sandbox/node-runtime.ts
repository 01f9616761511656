import { copyFile, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";

/**
 * The Node.js runtime in a folder of the stage, with a place in it to mount the SDK at: `/var/runtime/node_modules`, where
 * functions look for it after their own packages and layers.
 */
export async function stageNodeRuntime(from: string, to: string): Promise<void> {
  await mkdir(join(to, "node_modules"), { recursive: true, mode: 0o755 });
  const files = (await readdir(from)).filter((name) => /\.[cm]js$/u.test(name));
  for (const name of files) await copyFile(join(from, name), join(to, name));
}
