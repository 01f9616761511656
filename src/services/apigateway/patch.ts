import { notImplemented } from "../../aws/error.ts";
import { badRequest } from "./errors.ts";

/** A patch operation as clients send it. */
export interface PatchOperation {
  readonly op?: string | undefined;
  readonly path?: string | undefined;
  readonly value?: string | undefined;
  readonly from?: string | undefined;
}

/**
 * What can be patched: a path's pattern, and how each operation changes the record. `name` is the path's last part; what
 * copies is handed the path that it copies from.
 */
export type PatchTable<T> = readonly {
  readonly path: RegExp;
  readonly apply: Partial<
    Record<"add" | "replace" | "remove" | "copy", (record: T, value: string, name: string, path: string) => T>
  >;
}[];

/**
 * Apply patch operations in order. Paths that AWS has and nothing here acts on are refused by name.
 *
 * @param documented the paths that AWS documents, as `/requestModels/*`; any other is a BadRequestException. Without them, each
 *   path that is not in the table is taken for one that AWS has.
 */
export function applyPatch<T>(
  record: T,
  operations: readonly PatchOperation[] | undefined,
  table: PatchTable<T>,
  documented?: readonly string[],
): T {
  let patched = record;
  for (const { op = "", path = "", value = "", from = "" } of operations ?? []) {
    const entries = table.filter((candidate) => candidate.path.test(path));
    if (entries.length === 0) {
      if (documented === undefined || documented.some((known) => isUnder(known, path))) {
        throw notImplemented(`A patch of ${path}`);
      }
      throw badRequest(
        `Invalid patch path  '${path}' specified for op '${op}'. Must be one of: [${documented.join(", ")}]`,
      );
    }
    const isKnown = op === "add" || op === "replace" || op === "remove" || op === "copy";
    const apply = isKnown ? entries.find((entry) => entry.apply[op] !== undefined)?.apply[op] : undefined;
    if (apply === undefined)
      throw badRequest(`Invalid patch operation specified. Operation '${op}' is not allowed on '${path}'`);
    patched = apply(patched, op === "copy" ? from : value, unescape(path.slice(path.lastIndexOf("/") + 1)), path);
  }
  return patched;
}

/** `true` or `false`, in any case, as patches write flags. */
export function parseFlag(value: string): boolean {
  const flag = value.toLowerCase();
  if (flag === "true" || flag === "false") return flag === "true";
  throw badRequest(`Invalid boolean value: ${value}`);
}

function isUnder(known: string, path: string): boolean {
  const [expected, given] = [known.split("/"), path.split("/")];
  return expected.length === given.length && expected.every((part, index) => part === "*" || part === given[index]);
}

/** JSON Pointer: `~1` is a slash, `~0` a tilde. */
function unescape(part: string): string {
  return part.replaceAll("~1", "/").replaceAll("~0", "~");
}
