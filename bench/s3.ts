import { compareTargets, comparisonRows, startSelf, type Comparison } from "./data-comparison.ts";
import { startPlainFiles, startS3rver } from "./data-peers.ts";
import { prepare, sendOnce, type Prepared, type SignedTarget } from "./signed-load.ts";
import type { Row } from "./table.ts";

const bucket = "bench";
const sizes: Readonly<Record<string, number>> = { "1 KB": 1024, "1 MB": 1024 ** 2, "16 MB": 16 * 1024 ** 2 };

/** PUT and GET of 1 KB and 1 MB and a list of 1,000 beside s3rver; large objects beside a plain file server on `node:http`. */
export async function measureS3(folder: string): Promise<Comparison> {
  const starts = {
    Cumulet: startSelf,
    s3rver: startS3rver,
    "plain files": startPlainFiles,
  };
  return await compareTargets(folder, starts, kindsOf);
}

export function s3Rows(measured: Comparison): Row[] {
  const five = Object.fromEntries(
    ["PUT of 1 KB", "GET of 1 KB", "PUT of 1 MB", "GET of 1 MB", "list of 1,000"].map((kind) => [kind, "≥ 5"]),
  );
  return comparisonRows(measured, {
    s3rver: five,
    "plain files": { "PUT of 16 MB": "≥ 0.5", "GET of 16 MB": "≥ 0.5" },
  });
}

async function kindsOf(name: string, target: SignedTarget): Promise<Readonly<Record<string, readonly Prepared[]>>> {
  const isPlain = name === "plain files";
  const ask = (method: string, path: string, body?: Uint8Array, query?: Readonly<Record<string, string>>) =>
    prepare(target, { service: "s3", method, path, ...(body && { body }), ...(query && { query }) });
  const once = async (request: Prepared) => {
    const { status, body } = await sendOnce(target, request);
    if (status >= 300) throw new Error(`${name} answered ${status}: ${body}`);
  };
  if (!isPlain) await once(await ask("PUT", `/${bucket}`));
  const kinds: Record<string, readonly Prepared[]> = {};
  for (const [size, bytes] of Object.entries(sizes)) {
    // Peers of the same kind are compared with objects of theirs: s3rver with those of most applications.
    if (isPlain ? bytes < 1024 ** 2 : name === "s3rver" && bytes > 1024 ** 2) continue;
    const count = bytes > 1024 ? 4 : 100;
    const paths = Array.from({ length: count }, (_, at) => `/${bucket}/${size.replace(" ", "-")}-${at}`);
    const puts = await Promise.all(paths.map((path, at) => ask("PUT", path, Buffer.alloc(bytes, at))));
    for (const put of puts) await once(put);
    kinds[`PUT of ${size}`] = puts;
    kinds[`GET of ${size}`] = await Promise.all(paths.map((path) => ask("GET", path)));
  }
  if (isPlain) return kinds;
  for (let at = 0; at < 1_000; at += 1) {
    await once(await ask("PUT", `/${bucket}/listed/${String(at).padStart(4, "0")}`, Buffer.from("x")));
  }
  const query = { "list-type": "2", prefix: "listed/" };
  return { ...kinds, "list of 1,000": [await ask("GET", `/${bucket}`, undefined, query)] };
}
