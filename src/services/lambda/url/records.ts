import type { Key, Reader, Transaction } from "../../../kernel/store/store.ts";
import type { Place } from "../model.ts";

/** A function URL as stored. */
export interface UrlRecord extends Place {
  readonly v: 1;
  /** The first label of its host. */
  readonly id: string;
  readonly functionName: string;
  /** An alias; empty for `$LATEST`. */
  readonly qualifier: string;
  readonly authType: "NONE" | "AWS_IAM";
  readonly invokeMode: "BUFFERED" | "RESPONSE_STREAM";
  readonly cors?: UrlCors;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly modifiedAt: number;
}

/** As configured; absent members were not given. */
export interface UrlCors {
  readonly allowCredentials?: boolean;
  readonly allowHeaders?: readonly string[];
  readonly allowMethods?: readonly string[];
  readonly allowOrigins?: readonly string[];
  readonly exposeHeaders?: readonly string[];
  readonly maxAgeSeconds?: number;
}

/** Watched by the data plane. */
export const urlPrefix: Key = ["lambda", "url"];

export function urlKey(place: Place, functionName: string, ...qualifier: readonly string[]): Key {
  return [...urlPrefix, place.account, place.region, functionName, ...qualifier];
}

function addressKey(id: string): Key {
  return ["lambda", "urlAddress", id];
}

export function readUrl(
  reader: Reader,
  place: Place,
  functionName: string,
  qualifier: string,
): Promise<UrlRecord | undefined> {
  return reader.get<UrlRecord>(urlKey(place, functionName, qualifier));
}

/** The URL whose host begins with this label. */
export async function readUrlById(reader: Reader, id: string): Promise<UrlRecord | undefined> {
  const key = await reader.get<Key>(addressKey(id));
  return key === undefined ? undefined : reader.get<UrlRecord>(key);
}

export function writeUrl(tx: Transaction, url: UrlRecord): void {
  const key = urlKey(url, url.functionName, url.qualifier);
  tx.set(key, url);
  tx.set(addressKey(url.id), key);
}

export function deleteUrl(tx: Transaction, url: UrlRecord): void {
  tx.delete(urlKey(url, url.functionName, url.qualifier));
  tx.delete(addressKey(url.id));
}

/** Take along the URLs of a function, or of one of its aliases, that is being deleted. */
export async function deleteUrlsOf(
  tx: Transaction,
  place: Place,
  functionName: string,
  ...qualifier: readonly string[]
): Promise<void> {
  if (qualifier.length > 0) {
    const url = await readUrl(tx, place, functionName, qualifier[0] ?? "");
    if (url) deleteUrl(tx, url);
    return;
  }
  for (const { value } of await tx.range<UrlRecord>({ prefix: urlKey(place, functionName) }, { limit: 10_000 })) {
    deleteUrl(tx, value);
  }
}
