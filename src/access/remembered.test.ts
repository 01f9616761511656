import { createHash } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import { Sha256 } from "../testing/sha256.ts";
import { beforeEach, describe, expect, test } from "vitest";
import { randomIds } from "../kernel/ids.ts";
import { createAuthorizer } from "./authorize.ts";
import type { AccessKey } from "./credential-source.ts";
import { createPolicyCompiler } from "./policy/compile.ts";
import { createServerKeys } from "./server-keys.ts";
import { createSessions } from "./sessions.ts";
import { toHeaderValues } from "./sigv4/canonical-request.ts";
import { createVerifier } from "./verify.ts";

const at = Date.parse("2026-03-04T05:06:07Z");
const bodySha256 = () => createHash("sha256").update("").digest("hex");
const user = {
  type: "user",
  account: "000000000000",
  arn: "arn:aws:iam::000000000000:user/ann",
  userId: "AIDA",
  userName: "ann",
} as const;

let now: number;
let keys: Map<string, AccessKey>;
const sessions = createSessions({ keys: createServerKeys(new Uint8Array(32).fill(3)), ids: randomIds });

function newVerifier() {
  return createVerifier({ now: () => now, accessKeys: { findAccessKey: (id) => keys.get(id) }, sessions });
}

async function signed(accessKeyId: string, secretAccessKey: string, path = "/a", signingDate = new Date(at)) {
  const signer = new SignatureV4({
    service: "lambda",
    region: "us-east-1",
    credentials: { accessKeyId, secretAccessKey },
    sha256: Sha256,
  });
  const headers = { host: "localhost" };
  const request = await signer.sign(
    { method: "GET", protocol: "http:", hostname: "localhost", path, headers },
    { signingDate },
  );
  return { method: "GET", target: path, headers: toHeaderValues(Object.entries(request.headers)), bodySha256 };
}

beforeEach(() => {
  now = at;
  keys = new Map([
    ["AKIAANN", { secretAccessKey: "ann", principal: { ...user, accessKeyId: "AKIAANN" } }],
    ["AKIABOB", { secretAccessKey: "bob", principal: { ...user, userName: "bob", accessKeyId: "AKIABOB" } }],
  ]);
});

describe("what a verifier remembers of a client's requests", () => {
  test("lets in no request that is signed with another secret, after true ones of the same key and scope", async () => {
    const verifier = newVerifier();
    const outcomes: string[] = [];
    for (const secret of ["ann", "ann", "bob", "ann"]) {
      const request = await signed("AKIAANN", secret);
      const outcome = async () => (await verifier.verify(request, "lambda")).principal.type;
      outcomes.push(await outcome().catch(({ code }: { code: string }) => code));
    }
    expect(outcomes).toEqual(["user", "user", "InvalidSignatureException", "user"]);
  });

  test("tells two principals of the same scope apart", async () => {
    const verifier = newVerifier();
    for (const [id, secret, userName] of [
      ["AKIAANN", "ann", "ann"],
      ["AKIABOB", "bob", "bob"],
      ["AKIAANN", "ann", "ann"],
    ] as const) {
      expect((await verifier.verify(await signed(id, secret), "lambda")).principal).toMatchObject({ userName });
    }
  });

  test("does not outlive the key, nor its secret", async () => {
    const verifier = newVerifier();
    const request = await signed("AKIAANN", "ann");
    await verifier.verify(request, "lambda");
    keys.set("AKIAANN", { secretAccessKey: "another", principal: { ...user, accessKeyId: "AKIAANN" } });
    expect(() => verifier.verify(request, "lambda")).toThrow(
      expect.objectContaining({ code: "InvalidSignatureException" }),
    );
    keys.delete("AKIAANN");
    await expect(Promise.resolve(verifier.verify(request, "lambda"))).rejects.toMatchObject({
      code: "UnrecognizedClientException",
    });
  });

  test("does not make a request of five minutes ago a new one", async () => {
    const verifier = newVerifier();
    const request = await signed("AKIAANN", "ann");
    await verifier.verify(request, "lambda");
    now = at + 5 * 60_000 + 1;
    expect(() => verifier.verify(request, "lambda")).toThrow(/Signature expired/);
    now = at - 5 * 60_000 - 1;
    expect(() => verifier.verify(request, "lambda")).toThrow(/not yet current/);
  });

  test("stays right under thousands of scopes, lists and dates that nobody has signed", async () => {
    const verifier = newVerifier();
    const request = await signed("AKIAANN", "ann");
    let refused = 0;
    for (let n = 0; n < 5_000; n += 1) {
      const headers = toHeaderValues([
        ["host", "localhost"],
        ["x-amz-date", `20260304T05${String(n % 60).padStart(2, "0")}07Z`],
        [
          "authorization",
          `AWS4-HMAC-SHA256 Credential=AKIAANN/20260304/r${n}/lambda/aws4_request, SignedHeaders=host;x-${n};x-amz-date, Signature=${"0".repeat(64)}`,
        ],
      ]);
      try {
        await verifier.verify({ method: "GET", target: "/a", headers, bodySha256 }, "lambda");
      } catch {
        refused += 1;
      }
    }
    expect(refused).toBe(5_000);
    expect((await verifier.verify(request, "lambda")).principal).toMatchObject({ userName: "ann" });
  });

  test("takes a signature for nothing else when more stands where it should be", async () => {
    const verifier = newVerifier();
    const request = await signed("AKIAANN", "ann");
    await verifier.verify(request, "lambda");
    const text = String(request.headers.get("authorization"));
    for (const changed of [
      `${text.slice(0, -64)}${"0".repeat(64)}`,
      `${text}0`,
      text.slice(0, -1),
      `${text.slice(0, -64)}${text.slice(-64).toUpperCase()}`,
      text.replace("Signature=", "Signature=x, Signature=").slice(0, -1),
      text.replace("AKIAANN", "AKIABOB"),
    ]) {
      const headers = toHeaderValues(
        [...request.headers.keys()].map((name) => [
          name,
          name === "authorization" ? changed : String(request.headers.get(name)),
        ]),
      );
      const outcome = async () => await verifier.verify({ ...request, headers }, "lambda");
      await expect(outcome(), changed).rejects.toMatchObject({ status: 403 });
    }
  });
});

test("a policy that was changed counts for the next question, whatever was asked before", async () => {
  const compile = createPolicyCompiler();
  const policyOf = (Effect: string) => ({
    name: "p",
    policy: compile(
      JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect, Action: "*", Resource: "*" }] }),
      "identity",
    ),
  });
  let policies = [policyOf("Allow")];
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const identities = {
    findIdentity: () => ({ policies, permissionsBoundary: undefined, tags: {} }),
    findManagedPolicy: () => undefined,
  };
  const authorizer = createAuthorizer({ identities, compile, log });
  const environment = {
    account: user.account,
    region: "us-east-1",
    sourceIp: "",
    secureTransport: true,
    userAgent: "",
    now: at,
  };
  const ask = async () =>
    await authorizer.authorize(
      { ...user, accessKeyId: "" },
      { action: "dynamodb:GetItem", resource: "arn:aws:dynamodb:us-east-1:000000000000:table/t" },
      environment,
    );
  await ask();
  policies = [policyOf("Allow"), policyOf("Deny")];
  await expect(ask()).rejects.toMatchObject({ code: "AccessDeniedException" });
  policies = [];
  await expect(ask()).rejects.toMatchObject({ code: "AccessDeniedException" });
  policies = [policyOf("Allow")];
  await ask();
});
