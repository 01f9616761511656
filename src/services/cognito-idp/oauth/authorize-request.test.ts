import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Client } from "../model.ts";
import { isVerifier } from "./authorization-codes.ts";
import { grantScopes, parseAuthorizeRequest } from "./authorize-request.ts";
import { readClientClaim } from "./client-authentication.ts";
import { parseCookies, withFragment, withParameters } from "./exchange.ts";

const client: Client = {
  v: 1,
  id: "app",
  poolId: "us-east-1_A",
  createdAt: 0,
  updatedAt: 0,
  secrets: [],
  settings: {
    AllowedOAuthFlowsUserPoolClient: true,
    AllowedOAuthFlows: ["code"],
    AllowedOAuthScopes: ["openid", "email", "shop/read"],
    CallbackURLs: ["https://app.example.com/cb", "myapp://cb"],
  },
};
const challenge = createHash("sha256").update("x".repeat(43)).digest("base64url");
const good = {
  client_id: "app",
  response_type: "code",
  redirect_uri: "https://app.example.com/cb",
  scope: "openid email",
  state: "s",
};
const ask = (more: Record<string, string> = {}, of: Client | undefined = client) =>
  parseAuthorizeRequest(new URLSearchParams({ ...good, ...more }), of);

describe("the authorization endpoint", () => {
  test("takes what is in order", () => {
    expect(ask({ code_challenge: challenge, code_challenge_method: "S256", nonce: "n" })).toMatchObject({
      clientId: "app",
      responseType: "code",
      scopes: ["openid", "email"],
      codeChallenge: challenge,
      nonce: "n",
      state: "s",
    });
  });

  test.each([
    ["another client", { client_id: "other" }],
    ["no client", { client_id: "" }],
    ["a foreign address", { redirect_uri: "https://evil.example.com/cb" }],
    ["an address that only begins like one", { redirect_uri: "https://app.example.com/cb/more" }],
    ["an address with a query", { redirect_uri: "https://app.example.com/cb?x=1" }],
    ["an address in other letters", { redirect_uri: "https://APP.example.com/cb" }],
    ["an empty address", { redirect_uri: "" }],
  ])("tells nobody else of %s", (_what, more) => {
    expect(ask(more)).toMatchObject({ tell: "page" });
  });

  test.each([
    ["unauthorized_client", { response_type: "token" }],
    ["unsupported_response_type", { response_type: "code token" }],
    ["invalid_request", { response_type: "" }],
    ["invalid_request", { scope: "openid phone" }],
    ["invalid_request", { scope: "email" }],
    ["invalid_request", { scope: " " }],
    ["invalid_request", { code_challenge: challenge, code_challenge_method: "plain" }],
    ["invalid_request", { code_challenge: challenge }],
    ["invalid_request", { code_challenge_method: "S256" }],
    ["invalid_request", { code_challenge: "short", code_challenge_method: "S256" }],
    ["invalid_request", { prompt: "none login" }],
    ["invalid_request", { prompt: "unknown" }],
    ["invalid_request", { resource: "https://api.example.com" }],
    ["request_not_supported", { request: "x" }],
  ])("tells the application %s of %j", (error, more) => {
    expect(ask(more)).toMatchObject({ tell: "client", error, state: "s", redirectUri: good.redirect_uri });
  });

  test("refuses parameters that are given twice", () => {
    const query = new URLSearchParams(good);
    query.append("scope", "openid");
    expect(parseAuthorizeRequest(query, client)).toMatchObject({ tell: "client", error: "invalid_request" });
    query.append("redirect_uri", "https://evil.example.com");
    expect(parseAuthorizeRequest(query, client)).toMatchObject({ tell: "page" });
  });

  test("never sends anybody anywhere that the client has not registered", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), (parameters) => {
        const found = parseAuthorizeRequest(new URLSearchParams({ ...good, ...parameters }), client);
        if ("redirectUri" in found) expect(client.settings.CallbackURLs).toContain(found.redirectUri);
      }),
    );
  });

  test("grants no scope that the client may not have", () => {
    const allowed = ["openid", "email", "a/b"];
    fc.assert(
      fc.property(fc.array(fc.constantFrom("openid", "email", "phone", "a/b", "a/c", "")), (asked) => {
        const granted = grantScopes(asked.join(" "), allowed);
        expect(granted?.every((scope) => allowed.includes(scope)) ?? true).toBe(true);
      }),
    );
    expect(grantScopes(undefined, allowed)).toEqual(allowed);
  });
});

const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;

describe("a client's authentication", () => {
  test("is by header or by form, not by both", () => {
    expect(readClientClaim(basic("id:s%2Bx"), new URLSearchParams())).toEqual({ clientId: "id", secret: "s+x" });
    const form = new URLSearchParams({ client_id: "id", client_secret: "s" });
    expect(readClientClaim(undefined, form)).toEqual({ clientId: "id", secret: "s" });
    expect(readClientClaim(basic("id:s"), form)).toBeUndefined();
    expect(readClientClaim(basic("id:s"), new URLSearchParams({ client_id: "other" }))).toBeUndefined();
  });

  test("is nothing else", () => {
    for (const header of ["Bearer x", "Basic", "Basic !", basic("id"), basic("%zz:s")]) {
      expect(readClientClaim(header, new URLSearchParams({ client_id: "id" }))).toBeUndefined();
    }
  });
});

describe("the verifier of a code", () => {
  test("must be that of the challenge, and there only where there is one", () => {
    const verifier = "x".repeat(43);
    expect(isVerifier(challenge, verifier)).toBe(true);
    expect(isVerifier(challenge, "y".repeat(43))).toBe(false);
    expect(isVerifier(challenge, challenge)).toBe(false);
    expect(isVerifier(challenge, undefined)).toBe(false);
    expect(isVerifier(undefined, verifier)).toBe(false);
    expect(isVerifier(undefined, undefined)).toBe(true);
  });
});

test("addresses keep what they had", () => {
  expect(withParameters("https://a/cb?x=1#f", { code: "c d", state: undefined })).toBe("https://a/cb?x=1&code=c+d");
  expect(withFragment("myapp://cb", { error: "e" })).toBe("myapp://cb#error=e");
  expect(parseCookies("a=1; b=2=3; a=4; c").get("b")).toBe("2=3");
});
