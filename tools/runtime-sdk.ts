import { cp, readFile, readdir, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname, join, sep } from "node:path";

/**
 * Puts the AWS SDK packages that Node.js functions find without bringing them into a folder of their own: what this
 * program's tools have of the SDK, with all it needs and nothing else of ours. CommonJS alone, as both kinds of modules use it.
 */
export async function copyRuntimeSdk(into: string): Promise<void> {
  await rm(into, { recursive: true, force: true });
  const { dependencies, devDependencies } = await readManifest(".");
  const offered = Object.keys({ ...dependencies, ...devDependencies }).filter((name) => name.startsWith("@aws-sdk/"));
  const left = offered.map((name) => ({ name, from: "." }));
  const done = new Set<string>();
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const folder = findPackage(next.name, next.from);
    if (folder === undefined || done.has(folder)) continue;
    done.add(folder);
    await copyPackage(folder, join(into, "..", folder));
    const manifest = await readManifest(folder);
    for (const name of Object.keys(manifest.dependencies ?? {})) left.push({ name, from: folder });
  }
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

async function readManifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Manifest;
}

/** As Node.js finds it from there. */
function findPackage(name: string, from: string): string | undefined {
  for (let at = from; ; at = dirname(at)) {
    const folder = join(at, "node_modules", name);
    if (existsSync(folder)) return folder;
    if (at === ".") return undefined;
  }
}

async function copyPackage(from: string, to: string): Promise<void> {
  const hasCommonJs = (await readdir(from)).includes("dist-cjs");
  await cp(from, to, {
    recursive: true,
    filter: (path) => {
      const inside = path.slice(from.length + 1);
      const [top] = inside.split(sep);
      if (top === "node_modules" || /\.(?:d\.[cm]?ts|map|md|browser\.js|native\.js)$/u.test(inside)) return false;
      return !hasCommonJs || !/^(?:dist-(?!cjs)|src$|test)/u.test(top ?? "");
    },
  });
}
