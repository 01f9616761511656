import { createHmac } from "node:crypto";
import {
  sha256Hex,
  toCanonicalPath,
  toCanonicalQuery,
  toCanonicalRequest,
  toStringToSign,
} from "../access/sigv4/canonical-request.ts";
import { toBasicDate } from "../access/sigv4/presented-signature.ts";
import { createSigningKeys, toScopeText } from "../access/sigv4/signing-key.ts";
import { CommandError } from "./command.ts";
import type { Connection } from "./connection.ts";

/** Asks the platform's own API, signed as the root. Throws `CommandError` with what the server says. */
export async function signedGet(
  connection: Connection,
  path: string,
  query: Readonly<Record<string, string>>,
): Promise<unknown> {
  const answer = await signedFetch(connection, "GET", path, query);
  return await answer.json();
}

/** The same with a method, and the answer while it may still be on its way. */
export async function signedFetch(
  connection: Connection,
  method: "GET" | "POST",
  path: string,
  query: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<Response> {
  const { accessKeyId, secretAccessKey } = connection.credentials;
  const date = toBasicDate(Date.now());
  const { host } = new URL(connection.endpoint);
  const scope = { date: date.slice(0, 8), region: connection.region, service: "cumulet" };
  const canonicalQuery = toCanonicalQuery(Object.entries(query));
  const payloadHash = sha256Hex("");
  const signedHeaders = ["host", "x-amz-date"];
  const request = toCanonicalRequest({
    method,
    canonicalPath: toCanonicalPath(path, "normalized"),
    canonicalQuery,
    headers: new Map([
      ["host", [host]],
      ["x-amz-date", [date]],
    ]),
    signedHeaders,
    payloadHash,
  });
  const signature = createHmac("sha256", createSigningKeys()(secretAccessKey, scope))
    .update(toStringToSign(date, toScopeText(scope), request))
    .digest("hex");
  const answer = await fetch(`${connection.endpoint}${path}?${canonicalQuery}`, {
    method,
    ...(signal && { signal }),
    headers: {
      "x-amz-date": date,
      authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${toScopeText(scope)}, SignedHeaders=${signedHeaders.join(";")}, Signature=${signature}`,
    },
  });
  if (answer.ok) return answer;
  const body: unknown = await answer.json();
  const message = typeof body === "object" && body !== null && "message" in body ? String(body.message) : "";
  throw new CommandError(`The server answers ${answer.status}: ${message}`);
}
