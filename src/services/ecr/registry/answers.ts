import { AwsError } from "../../../aws/error.ts";
import type { HttpResponse } from "../../../proxy/http-exchange.ts";

/** An answer of the registry's protocol to what cannot be done. Source: OCI distribution specification 1.1, "Error codes". */
export class RegistryError extends Error {
  readonly code: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  constructor(code: string, status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.headers = headers;
  }
}

export const versionHeader = { "docker-distribution-api-version": "registry/2.0" };

export function answer(
  response: HttpResponse,
  status: number,
  headers: Readonly<Record<string, string | number>> = {},
  body: string | Uint8Array = "",
): void {
  const bytes = Buffer.from(body);
  const own = status === 204 || "content-length" in headers ? {} : { "content-length": bytes.length };
  response.writeHead(status, { ...versionHeader, ...own, ...headers });
  // A HEAD's length is that of what a GET answers.
  response.end(response.req.method === "HEAD" ? undefined : bytes);
}

export function answerError(response: HttpResponse, error: RegistryError): void {
  const body = JSON.stringify({ errors: [{ code: error.code, message: error.message }] });
  // What the client is still sending is not read any more.
  const unread = response.req.complete ? {} : { connection: "close" };
  answer(
    response,
    error.status,
    { "content-type": "application/json; charset=utf-8", ...unread, ...error.headers },
    body,
  );
}

/** How AWS's registry tells the errors of the API. */
export function fromAwsError(error: AwsError): RegistryError {
  const [code, status] = codes[error.code] ?? (error.status === 501 ? ["UNSUPPORTED", 501] : ["DENIED", 400]);
  return new RegistryError(code, status, error.message);
}

const codes: Readonly<Record<string, readonly [code: string, status: number]>> = {
  AccessDeniedException: ["DENIED", 403],
  RepositoryNotFoundException: ["NAME_UNKNOWN", 404],
  ImageNotFoundException: ["MANIFEST_UNKNOWN", 404],
  LayersNotFoundException: ["MANIFEST_BLOB_UNKNOWN", 400],
  ReferencedImagesNotFoundException: ["MANIFEST_BLOB_UNKNOWN", 400],
  ImageTagAlreadyExistsException: ["TAG_INVALID", 400],
  ImageDigestDoesNotMatchException: ["DIGEST_INVALID", 400],
  InvalidLayerException: ["DIGEST_INVALID", 400],
  InvalidParameterException: ["MANIFEST_INVALID", 400],
  UploadNotFoundException: ["BLOB_UPLOAD_UNKNOWN", 404],
  LimitExceededException: ["TOOMANYREQUESTS", 429],
};
