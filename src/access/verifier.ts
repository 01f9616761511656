import type { Principal } from "../aws/principal.ts";
import type { HeaderValues } from "./sigv4/canonical-request.ts";

/** Establishes who signed a request: Signature Version 4 in the header, in the query, or over chunks. */
export interface Verifier {
  /**
   * Throws the `AwsError` AWS answers: `InvalidSignatureException` / `SignatureDoesNotMatch`, `UnrecognizedClientException` /
   * `InvalidClientTokenId` / `InvalidAccessKeyId`, `ExpiredTokenException`, `RequestTimeTooSkewed`, `MissingAuthenticationToken`,
   * `IncompleteSignature` … in the dialect of the service (S3's names differ from the others'); where nothing had to be waited
   * for, at once.
   *
   * @param service the service whose dialect of canonical requests and errors applies (`s3` does not normalise paths); the
   *   credential scope must name it.
   */
  verify(request: SignedRequest | ReadRequest, service: string): Promise<Verified> | Verified;
}

export interface SignedRequest {
  readonly method: string;
  /** Path and query exactly as sent. */
  readonly target: string;
  /** Lower-case names, in order of arrival, repeated where they were repeated. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /**
   * The hex SHA-256 of the whole body. Asked for only when the signature covers a hash that `x-amz-content-sha256` does
   * not state (most clients of every service but `s3`); never for `s3`, whose bodies stream. Absent means an empty body.
   */
  readonly bodySha256?: () => Promise<string> | string;
  /** The peer's address. Absent means unknown, which `--dev` does not take for loopback. */
  readonly sourceIp?: string;
}

/** The same, of a request whose headers are by name already. */
export interface ReadRequest extends Omit<SignedRequest, "headers"> {
  readonly headers: HeaderValues;
}

export interface Verified {
  /** `anonymous` when the request carries no signature at all: the service decides whether that can be (S3 public, STS web identity). */
  readonly principal: Principal;
  /** The region of the credential scope; undefined when anonymous. */
  readonly region: string | undefined;
  readonly payload: PayloadRule;
}

/** How the body is bound to the signature. */
export type PayloadRule =
  /** The body's SHA-256, hex, must be this. */
  | { readonly kind: "sha256"; readonly hex: string }
  | { readonly kind: "unsigned" }
  /** `aws-chunked`: unwrap, checking each chunk's signature and the trailer's where there is one. Yields content; rejects with the `AwsError`. */
  | {
      readonly kind: "chunked";
      decode(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
      /** Trailing headers, lower-case; complete once the content has ended. */ trailers(): Readonly<
        Record<string, string>
      >;
    };
