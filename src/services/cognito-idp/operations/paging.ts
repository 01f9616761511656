import type { Key, Reader } from "../../../kernel/store/store.ts";
import { invalidParameter } from "../errors.ts";
import { cognitoLimits as limits } from "../limits.ts";
import { parsePageToken, toPageToken } from "../rules.ts";

export interface Page<V> {
  readonly values: readonly V[];
  readonly keys: readonly Key[];
  readonly nextToken: string | undefined;
}

/** A page of the entries below a prefix, by the last part of their keys. @throws InvalidParameterException for a strange token */
export async function pageOf<V>(
  reader: Reader,
  prefix: Key,
  asked: { readonly limit: number | undefined; readonly token: string | undefined },
): Promise<Page<V>> {
  const limit = asked.limit === undefined || asked.limit === 0 ? limits.pageMax : asked.limit;
  const after = asked.token === undefined ? undefined : parsePageToken(asked.token);
  if (asked.token !== undefined && after === undefined) throw invalidPageToken();
  const entries = await reader.range<V>(
    { prefix, ...(after !== undefined && { after: [...prefix, after] }) },
    { limit: limit + 1 },
  );
  const page = entries.slice(0, limit);
  const last = page.at(-1)?.key.at(-1);
  return {
    values: page.map(({ value }) => value),
    keys: page.map(({ key }) => key),
    nextToken: entries.length > limit && typeof last === "string" ? toPageToken(last) : undefined,
  };
}

export function invalidPageToken() {
  return invalidParameter("Invalid pagination token given.");
}
