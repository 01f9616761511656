import { isToken } from "./characters.ts";

/** What a header of an answer tells of the answer itself. */
export type SentPart =
  "connection" | "contentLength" | "transferEncoding" | "date" | "keepAlive" | "cookie" | "passed on";

/** Names of headers that have been sent: they are looked at once each. */
export interface SentNames {
  /** @throws for what is no name of a header */
  of(name: string): SentPart;
}

/** @param max names that are kept */
export function createSentNames(max: number): SentNames {
  const kept = new Map<string, SentPart>();
  return {
    of: (name) => {
      const known = kept.get(name);
      if (known !== undefined) return known;
      if (typeof name !== "string" || !isToken(name)) {
        throw Object.assign(new TypeError(`Header name must be a valid HTTP token [${JSON.stringify(name)}]`), {
          code: "ERR_INVALID_HTTP_TOKEN",
        });
      }
      const part = parts.get(name.toLowerCase()) ?? "passed on";
      if (kept.size < max) kept.set(name, part);
      return part;
    },
  };
}

const parts: ReadonlyMap<string, SentPart> = new Map([
  ["connection", "connection"],
  ["content-length", "contentLength"],
  ["transfer-encoding", "transferEncoding"],
  ["date", "date"],
  ["keep-alive", "keepAlive"],
  ["cookie", "cookie"],
]);
