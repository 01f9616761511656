import { request as httpRequest, type IncomingMessage } from "node:http";
import {
  sha256Hex,
  toCanonicalPath,
  toCanonicalQuery,
  createSignedHeaders,
  toCanonicalRequest,
  toStringToSign,
} from "../access/sigv4/canonical-request.ts";
import { toBasicDate } from "../access/sigv4/presented-signature.ts";
import { createSigningKeys, toScopeText } from "../access/sigv4/signing-key.ts";
import { CommandError } from "./command.ts";
import type { Connection } from "./connection.ts";

/** Pairs, where a name has several values. */
type Query = Readonly<Record<string, string>> | [string, string][];

/** Asks the platform's own API, signed as the root. Throws `CommandError` with what the server says. */
export async function signedGet(connection: Connection, path: string, query: Query): Promise<unknown> {
  return readJson(await signedRequest(connection, "GET", path, query));
}

/** The same as POST. */
export async function signedPost(
  connection: Connection,
  path: string,
  query: Readonly<Record<string, string>>,
): Promise<unknown> {
  return readJson(await signedRequest(connection, "POST", path, query));
}

/** The answer while it may still be on its way, however long; on a connection that ends with it. */
export async function signedRequest(
  connection: Connection,
  method: "GET" | "POST",
  path: string,
  query: Query,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  const { accessKeyId, secretAccessKey } = connection.credentials;
  const date = toBasicDate(Date.now());
  const { host } = new URL(connection.endpoint);
  const scope = { date: date.slice(0, 8), region: connection.region, service: "cumulet" };
  const canonicalQuery = toCanonicalQuery(Array.isArray(query) ? query : Object.entries(query));
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
    signedHeaders: createSignedHeaders(signedHeaders),
    payloadHash,
  });
  const signingKey = createSigningKeys()(secretAccessKey, scope);
  const signature = signingKey.sign(toStringToSign(date, toScopeText(scope), request));
  const asked = httpRequest(`${connection.endpoint}${path}?${canonicalQuery}`, {
    method,
    agent: false,
    ...(signal && { signal }),
    headers: {
      "x-amz-date": date,
      authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${toScopeText(scope)}, SignedHeaders=${signedHeaders.join(";")}, Signature=${signature}`,
    },
  });
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    asked.once("response", resolve).once("error", reject).end();
  });
  if (answer.statusCode === 200) return answer;
  const body = await readJson(answer);
  const message = typeof body === "object" && body !== null && "message" in body ? String(body.message) : "";
  throw new CommandError(`The server answers ${answer.statusCode}: ${message}`);
}

async function readJson(answer: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of answer.setEncoding("utf8")) text += String(chunk);
  return JSON.parse(text);
}
