import { notImplemented } from "../../aws/error.ts";
import { badRequest } from "./errors.ts";

/** A patch operation as clients send it. */
export interface PatchOperation {
  readonly op?: string | undefined;
  readonly path?: string | undefined;
  readonly value?: string | undefined;
}

/** What can be patched: a path's pattern, and how each operation changes the record. `name` is the path's last part. */
export type PatchTable<T> = readonly {
  readonly path: RegExp;
  readonly apply: Partial<Record<"add" | "replace" | "remove", (record: T, value: string, name: string) => T>>;
}[];

/** Apply patch operations in order. Paths that AWS has and nothing here acts on are refused by name. */
export function applyPatch<T>(record: T, operations: readonly PatchOperation[] | undefined, table: PatchTable<T>): T {
  let patched = record;
  for (const { op = "", path = "", value = "" } of operations ?? []) {
    const entry = table.find((candidate) => candidate.path.test(path));
    if (entry === undefined) throw notImplemented(`A patch of ${path}`);
    const apply = op === "add" || op === "replace" || op === "remove" ? entry.apply[op] : undefined;
    if (apply === undefined)
      throw badRequest(`Invalid patch operation specified. Operation '${op}' is not allowed on '${path}'`);
    patched = apply(patched, value, unescape(path.slice(path.lastIndexOf("/") + 1)));
  }
  return patched;
}

/** JSON Pointer: `~1` is a slash, `~0` a tilde. */
function unescape(part: string): string {
  return part.replaceAll("~1", "/").replaceAll("~0", "~");
}
