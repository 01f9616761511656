import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** For tests: an authenticator in software (Web Authentication, level 2), with one passkey for one origin. */
export interface SoftwarePasskey {
  readonly id: string;
  /** What a browser answers to options of `navigator.credentials.create`. */
  register(options: { readonly challenge: string }): PasskeyAnswer;
  /** What it answers to those of `navigator.credentials.get`. @param verified the user has shown a fingerprint or the like */
  authenticate(options: { readonly challenge: string }, verified?: boolean): string;
}

interface PasskeyAnswer {
  readonly id: string;
  readonly rawId: string;
  readonly type: "public-key";
  readonly clientExtensionResults: object;
  readonly response: Readonly<Record<string, string>>;
}

export function createSoftwarePasskey(rpId: string, origin: string): SoftwarePasskey {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const credential = randomBytes(16);
  const id = credential.toString("base64url");
  let counter = 0;

  const clientData = (type: string, challenge: string) =>
    Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
  const authenticatorData = (flags: number, attested: Buffer = Buffer.alloc(0)) => {
    const count = Buffer.alloc(4);
    count.writeUInt32BE((counter += 1));
    return Buffer.concat([sha256(Buffer.from(rpId)), Buffer.from([flags]), count, attested]);
  };
  const answer = (response: Readonly<Record<string, string>>): PasskeyAnswer => ({
    id,
    rawId: id,
    type: "public-key",
    clientExtensionResults: {},
    response,
  });

  return {
    id,
    register: ({ challenge }) => {
      // COSE: an elliptic curve key for ES256.
      const key = Buffer.concat([
        Buffer.from("a5010203262001215820", "hex"),
        Buffer.from(x, "base64url"),
        Buffer.from("225820", "hex"),
        Buffer.from(y, "base64url"),
      ]);
      const attested = Buffer.concat([Buffer.alloc(16), Buffer.from([0, credential.length]), credential, key]);
      const data = authenticatorData(userPresent | userVerified | hasKey, attested);
      // CBOR: { fmt: "none", attStmt: {}, authData }.
      const attestation = Buffer.concat([
        Buffer.from("a363666d74646e6f6e656761747453746d74a0686175746844617461", "hex"),
        Buffer.from([0x58, data.length]),
        data,
      ]);
      return answer({
        clientDataJSON: clientData("webauthn.create", challenge).toString("base64url"),
        attestationObject: attestation.toString("base64url"),
      });
    },
    authenticate: ({ challenge }, verified = true) => {
      const data = authenticatorData(verified ? userPresent | userVerified : userPresent);
      const client = clientData("webauthn.get", challenge);
      const signature = sign("sha256", Buffer.concat([data, sha256(client)]), privateKey);
      return JSON.stringify(
        answer({
          clientDataJSON: client.toString("base64url"),
          authenticatorData: data.toString("base64url"),
          signature: signature.toString("base64url"),
        }),
      );
    },
  };
}

const userPresent = 0x01;
const userVerified = 0x04;
const hasKey = 0x40;

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
