import * as iamSdk from "@aws-sdk/client-iam";
import * as sdk from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type AccessTest,
  account,
  policy,
  refusal,
  roleArn,
  startAccessTest,
  statement,
} from "../../testing/access.ts";
import { startTestIssuer, type TestIssuer } from "../execute-api/authorizers/test-issuer.ts";

let access: AccessTest;
let issuer: TestIssuer;
let sts: sdk.STSClient;
let provider = "";
const name = () => issuer.url.replace("http://", "");

const assume = (WebIdentityToken: string, more: object = {}) =>
  sts.send(
    new sdk.AssumeRoleWithWebIdentityCommand({
      RoleArn: roleArn("web"),
      RoleSessionName: "session",
      WebIdentityToken,
      ...more,
    }),
  );

const trustWeb = (condition: object, more: readonly string[] = [], federated = provider) =>
  policy({
    Effect: "Allow",
    Principal: { Federated: federated },
    Action: ["sts:AssumeRoleWithWebIdentity", ...more],
    Condition: condition,
  });

beforeAll(async () => {
  access = await startAccessTest();
  issuer = await startTestIssuer(() => Math.floor(Date.now() / 1000));
  // Nobody signs these calls.
  sts = new sdk.STSClient({ ...access.platform.settings, credentials: { accessKeyId: "", secretAccessKey: "" } });
  const made = await access.iam.send(
    new iamSdk.CreateOpenIDConnectProviderCommand({ Url: issuer.url, ClientIDList: ["app"] }),
  );
  provider = made.OpenIDConnectProviderArn ?? "";
  const create = async (RoleName: string, AssumeRolePolicyDocument: string, document?: string) => {
    await access.iam.send(new iamSdk.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
    if (document === undefined) return;
    await access.iam.send(new iamSdk.PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument: document }));
  };
  await create(
    "web",
    trustWeb({ StringEquals: { [`${name()}:sub`]: "me", [`${name()}:aud`]: "app" } }),
    policy({ ...statement("iam:ListRoles"), Condition: { StringEquals: { [`${name()}:sub`]: "me" } } }),
  );
  await create("tagged", trustWeb({}, ["sts:TagSession", "sts:SetSourceIdentity"]));
  await create("untagged", trustWeb({}));
  await create("foreign", trustWeb({}, [], "arn:aws:iam::000000000000:oidc-provider/other.example.com"));
});
afterAll(async () => {
  await issuer.stop();
  await access.stop();
});

describe("AssumeRoleWithWebIdentity", () => {
  test("gives whoever shows a token of a trusted provider the role, unsigned", async () => {
    const answer = await assume(issuer.sign());
    expect(answer).toMatchObject({
      SubjectFromWebIdentityToken: "me",
      Audience: "app",
      Provider: provider,
      AssumedRoleUser: { Arn: `arn:aws:sts::${account}:assumed-role/web/session` },
    });
    expect(answer.PackedPolicySize).toBeUndefined();
    const { Credentials } = answer;
    const session = {
      accessKeyId: Credentials?.AccessKeyId ?? "",
      secretAccessKey: Credentials?.SecretAccessKey ?? "",
      sessionToken: Credentials?.SessionToken ?? "",
    };
    // The role's policies may ask who the token was of.
    await access.iamAs(session).send(new iamSdk.ListRolesCommand({}));
    expect(await refusal(access.iamAs(session).send(new iamSdk.ListUsersCommand({})))).toMatchObject({
      name: "AccessDenied",
    });
  });

  test("takes one audience of several", async () => {
    expect(await refusal(assume(issuer.sign({ aud: ["other"] })))).toMatchObject({
      name: "InvalidIdentityTokenException",
    });
    await expect(assume(issuer.sign({ aud: ["app"] }))).resolves.toMatchObject({ Audience: "app" });
  });

  test.each([
    ["of another audience", { aud: "other" }, {}, "InvalidIdentityTokenException", "Incorrect token audience"],
    [
      "without an audience, for a client",
      { aud: undefined, client_id: "app" },
      {},
      "InvalidIdentityTokenException",
      "Incorrect",
    ],
    ["without a subject", { sub: undefined }, {}, "InvalidIdentityTokenException", "Missing a required claim: sub"],
    ["that has expired", { exp: 1 }, {}, "ExpiredTokenException", "must be before the expiration date/time 1"],
    ["that is not valid yet", { nbf: 4e9 }, {}, "InvalidIdentityTokenException", "not valid yet"],
    [
      "of an issuer nobody registered",
      { iss: "https://evil.example.com" },
      {},
      "InvalidIdentityTokenException",
      "No OpenIDConnect provider found in your account for https://evil.example.com",
    ],
    ["that nobody signed", {}, { alg: "none" }, "InvalidIdentityTokenException", "none is invalid"],
    ["signed as with a password", {}, { alg: "HS256" }, "InvalidIdentityTokenException", "HS256 is invalid"],
    [
      "signed with an unknown key",
      {},
      { kid: "other" },
      "InvalidIdentityTokenException",
      "Couldn't retrieve verification key",
    ],
  ])("refuses a token %s", async (_what, claims, header, code, message) => {
    const refused = await refusal(assume(issuer.sign(claims, header)));
    expect(refused).toMatchObject({ name: code, status: 400 });
    expect(refused.message).toContain(message);
  });

  test("refuses a token whose claims were changed after it was signed", async () => {
    const [header, , signature] = issuer.sign({ sub: "other" }).split(".");
    const [, claims] = issuer.sign().split(".");
    expect(await refusal(assume(`${header}.${claims}.${signature}`))).toMatchObject({
      name: "InvalidIdentityTokenException",
    });
  });

  test.each(["none.of.these", "abcd", "a.b.c", "...."])("refuses %s, which is no token", async (token) => {
    expect(await refusal(assume(token))).toMatchObject({ name: "InvalidIdentityTokenException", status: 400 });
  });

  test.each([
    ["a role that asks for another subject", { RoleArn: roleArn("web") }, { sub: "you" }],
    ["a role that trusts another provider", { RoleArn: roleArn("foreign") }, {}],
    ["a role that does not exist", { RoleArn: roleArn("none") }, {}],
    [
      "a tagged session of a role that does not take tags",
      { RoleArn: roleArn("untagged") },
      { "https://aws.amazon.com/tags": { principal_tags: { a: ["b"] } } },
    ],
    [
      "a source identity of a role that does not take one",
      { RoleArn: roleArn("untagged") },
      { "https://aws.amazon.com/source_identity": "me" },
    ],
  ])("refuses %s, naming nobody", async (_what, more, claims) => {
    expect(await refusal(assume(issuer.sign(claims), more))).toEqual({
      name: "AccessDenied",
      message: expect.stringMatching(/^Not authorized to perform sts:\w+$/) as string,
      status: 403,
    });
  });

  test("takes session tags and a source identity from the token", async () => {
    const answer = await assume(
      issuer.sign({
        "https://aws.amazon.com/tags": { principal_tags: { team: ["a"] }, transitive_tag_keys: ["team"] },
        "https://aws.amazon.com/source_identity": "me@example.com",
      }),
      { RoleArn: roleArn("tagged") },
    );
    expect(answer.SourceIdentity).toBe("me@example.com");
  });

  test.each([
    [{ ProviderId: "www.amazon.com" }, "NotImplemented"],
    [{ DurationSeconds: 7200 }, "ValidationError"],
    [{ RoleArn: `arn:aws:iam::${account}:user/someone` }, "ValidationError"],
    [{ Policy: "{" }, "MalformedPolicyDocumentException"],
  ])("refuses %j", async (more, code) => {
    expect(await refusal(assume(issuer.sign(), more))).toMatchObject({ name: code });
  });

  test("of a provider whose keys cannot be had is refused", async () => {
    const silent = await startTestIssuer(() => Math.floor(Date.now() / 1000));
    await access.iam.send(new iamSdk.CreateOpenIDConnectProviderCommand({ Url: silent.url, ClientIDList: ["app"] }));
    const token = silent.sign();
    silent.fail(500);
    expect((await refusal(assume(token))).message).toContain("Couldn't retrieve verification key");
    await silent.stop();
  });

  test("is refused once the client is no longer one of the provider's", async () => {
    const about = { OpenIDConnectProviderArn: provider, ClientID: "app" };
    await access.iam.send(new iamSdk.RemoveClientIDFromOpenIDConnectProviderCommand(about));
    expect(await refusal(assume(issuer.sign()))).toMatchObject({ message: "Incorrect token audience" });
    await access.iam.send(new iamSdk.AddClientIDToOpenIDConnectProviderCommand(about));
    await assume(issuer.sign());
  });
});
