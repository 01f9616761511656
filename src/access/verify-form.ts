import type { Principal } from "../aws/principal.ts";
import { createDevCredentials } from "./dev.ts";
import { expiredToken, invalidToken, signatureDoesNotMatch, unrecognizedClient } from "./errors.ts";
import { toHeaderValues } from "./sigv4/canonical-request.ts";
import { parseCredential } from "./sigv4/presented-signature.ts";
import { createSigningKeys, isSignature } from "./sigv4/signing-key.ts";
import type { ReadRequest, SignedRequest } from "./verifier.ts";
import type { VerifierNeeds } from "./verify.ts";

/** A form's policy and who has signed it, as its fields say. */
export interface SignedForm {
  /** As sent, in Base64: what is signed. */
  readonly policy: string;
  /** `KEY/20150830/us-east-1/s3/aws4_request` */
  readonly credential: string;
  readonly signature: string;
  readonly sessionToken?: string;
}

/**
 * Verifies forms that browsers send to S3 with `POST`. Throws what S3 answers: `InvalidAccessKeyId`, `SignatureDoesNotMatch`,
 * `ExpiredToken`. Source: "Authenticating requests: browser-based uploads using POST", Amazon S3 API Reference.
 */
export type FormVerifier = (
  form: SignedForm,
  request: SignedRequest | ReadRequest,
) => Promise<{ readonly principal: Principal; readonly region: string }>;

export function createFormVerifier(needs: VerifierNeeds): FormVerifier {
  const signingKeys = createSigningKeys();
  const dev = needs.dev && createDevCredentials(needs.dev);

  return async ({ policy, credential, signature, sessionToken }, request) => {
    const { accessKeyId, scope } = parseCredential(credential, "s3", "query");
    if (scope.service !== "s3") throw signatureDoesNotMatch("s3");
    const session = sessionToken === undefined ? undefined : needs.sessions.open(accessKeyId, sessionToken);
    if (session && session.expiresAt <= needs.now()) throw expiredToken("s3");
    const found =
      session ?? (sessionToken === undefined ? await needs.accessKeys.findAccessKey(accessKeyId) : undefined);
    if (!found) {
      const headers = "get" in request.headers ? request.headers : toHeaderValues(request.headers);
      const known = await needs.accessKeys.isKnown?.(accessKeyId);
      const principal = known ? undefined : dev?.accept(request, headers, accessKeyId);
      if (principal) return { principal, region: scope.region };
      throw sessionToken === undefined ? unrecognizedClient("s3", accessKeyId) : invalidToken("s3", accessKeyId);
    }
    if (!isSignature(signingKeys(found.secretAccessKey, scope), policy, signature)) throw signatureDoesNotMatch("s3");
    needs.accessKeys.noteUse?.(accessKeyId, "s3", scope.region);
    return { principal: found.principal, region: scope.region };
  };
}
