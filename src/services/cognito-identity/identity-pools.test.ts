import * as sdk from "@aws-sdk/client-cognito-identity";
import { CreateRoleCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type AccessTest,
  account,
  type Keys,
  policy,
  refusal,
  roleArn,
  startAccessTest,
  statement,
} from "../../testing/access.ts";

const provider = "cognito-identity.amazonaws.com";

let access: AccessTest;
/** As the root. */
let admin: sdk.CognitoIdentityClient;
/** As anybody: what needs no credentials is not signed. */
let guest: sdk.CognitoIdentityClient;

beforeAll(async () => {
  access = await startAccessTest();
  const { settings } = access.platform;
  admin = new sdk.CognitoIdentityClient(settings);
  guest = new sdk.CognitoIdentityClient({ endpoint: settings.endpoint, region: settings.region, maxAttempts: 1 });
});
afterAll(() => access.stop());

async function createPool(more: Partial<sdk.CreateIdentityPoolCommandInput> = {}): Promise<string> {
  const { IdentityPoolId = "" } = await admin.send(
    new sdk.CreateIdentityPoolCommand({ IdentityPoolName: "p", AllowUnauthenticatedIdentities: true, ...more }),
  );
  return IdentityPoolId;
}

/** A role that trusts a pool's identities of one kind. */
async function createRole(name: string, poolId: string, amr: string, allowed: string, more: readonly string[] = []) {
  const AssumeRolePolicyDocument = policy({
    Effect: "Allow",
    Principal: { Federated: provider },
    Action: ["sts:AssumeRoleWithWebIdentity", ...more],
    Condition: {
      StringEquals: { [`${provider}:aud`]: poolId },
      "ForAnyValue:StringLike": { [`${provider}:amr`]: amr },
    },
  });
  await access.iam.send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument }));
  const PolicyDocument = policy(statement(allowed));
  await access.iam.send(new PutRolePolicyCommand({ RoleName: name, PolicyName: "p", PolicyDocument }));
  return roleArn(name);
}

const getId = async (IdentityPoolId: string, Logins?: Record<string, string>): Promise<string> =>
  (await guest.send(new sdk.GetIdCommand({ IdentityPoolId, Logins }))).IdentityId ?? "";

async function credentials(IdentityId: string, Logins?: Record<string, string>): Promise<Keys> {
  const { Credentials } = await guest.send(new sdk.GetCredentialsForIdentityCommand({ IdentityId, Logins }));
  return {
    accessKeyId: Credentials?.AccessKeyId ?? "",
    secretAccessKey: Credentials?.SecretKey ?? "",
    sessionToken: Credentials?.SessionToken ?? "",
  };
}

describe("identity pools", () => {
  test("are created, described, updated, listed and deleted as they were given", async () => {
    const id = await createPool({ IdentityPoolTags: { team: "a" }, DeveloperProviderName: "dev" });
    expect(id).toMatch(/^us-east-1:[0-9a-f-]{36}$/);
    const described = await admin.send(new sdk.DescribeIdentityPoolCommand({ IdentityPoolId: id }));
    expect(described).toMatchObject({
      IdentityPoolName: "p",
      AllowUnauthenticatedIdentities: true,
      DeveloperProviderName: "dev",
      IdentityPoolTags: { team: "a" },
    });
    const updated = await admin.send(
      new sdk.UpdateIdentityPoolCommand({
        IdentityPoolId: id,
        IdentityPoolName: "q",
        AllowUnauthenticatedIdentities: false,
        DeveloperProviderName: "dev",
      }),
    );
    expect(updated).toMatchObject({ IdentityPoolName: "q", AllowUnauthenticatedIdentities: false });
    const { IdentityPools } = await admin.send(new sdk.ListIdentityPoolsCommand({ MaxResults: 60 }));
    expect(IdentityPools).toContainEqual({ IdentityPoolId: id, IdentityPoolName: "q" });
    await admin.send(new sdk.DeleteIdentityPoolCommand({ IdentityPoolId: id }));
    const gone = await refusal(admin.send(new sdk.DescribeIdentityPoolCommand({ IdentityPoolId: id })));
    expect(gone).toMatchObject({ name: "ResourceNotFoundException", message: `IdentityPool '${id}' not found.` });
  });

  test("are listed in pages", async () => {
    const made = [await createPool(), await createPool(), await createPool()];
    const seen: (string | undefined)[] = [];
    for await (const page of sdk.paginateListIdentityPools({ client: admin }, { MaxResults: 1 })) {
      seen.push(...(page.IdentityPools ?? []).map(({ IdentityPoolId }) => IdentityPoolId));
    }
    expect(seen).toEqual(expect.arrayContaining(made));
    expect(new Set(seen).size).toBe(seen.length);
  });

  test("refuse by name what is not built", async () => {
    const saml = createPool({ SamlProviderARNs: [`arn:aws:iam::${account}:saml-provider/x`] });
    expect(await refusal(saml)).toMatchObject({ status: 501 });
    const facebook = createPool({ SupportedLoginProviders: { "graph.facebook.com": "1" } });
    expect((await refusal(facebook)).message).toContain("graph.facebook.com");
  });

  test("do not change the name of their developer provider", async () => {
    const id = await createPool({ DeveloperProviderName: "dev" });
    const update = admin.send(
      new sdk.UpdateIdentityPoolCommand({
        IdentityPoolId: id,
        IdentityPoolName: "q",
        AllowUnauthenticatedIdentities: false,
        DeveloperProviderName: "other",
      }),
    );
    expect(await refusal(update)).toMatchObject({ name: "InvalidParameterException" });
  });

  test("are tagged, and policies see their tags", async () => {
    const id = await createPool({ IdentityPoolTags: { team: "a" } });
    const ResourceArn = `arn:aws:cognito-identity:us-east-1:${account}:identitypool/${id}`;
    await admin.send(new sdk.TagResourceCommand({ ResourceArn, Tags: { x: "1" } }));
    await admin.send(new sdk.UntagResourceCommand({ ResourceArn, TagKeys: ["x"] }));
    expect((await admin.send(new sdk.ListTagsForResourceCommand({ ResourceArn }))).Tags).toEqual({ team: "a" });
    const allowed = statement("cognito-identity:DescribeIdentityPool");
    const keys = await access.createUser(
      "tagged",
      policy({ ...allowed, Condition: { StringEquals: { "aws:ResourceTag/team": "b" } } }),
    );
    const user = new sdk.CognitoIdentityClient({ ...access.platform.settings, credentials: keys });
    const denied = await refusal(user.send(new sdk.DescribeIdentityPoolCommand({ IdentityPoolId: id })));
    expect(denied.name).toBe("AccessDeniedException");
  });

  test("hand out roles only for whom may pass them", async () => {
    const id = await createPool();
    const keys = await access.createUser("passing", policy(statement("cognito-identity:*")));
    const user = new sdk.CognitoIdentityClient({ ...access.platform.settings, credentials: keys });
    const set = user.send(
      new sdk.SetIdentityPoolRolesCommand({ IdentityPoolId: id, Roles: { authenticated: roleArn("any") } }),
    );
    expect((await refusal(set)).message).toContain("iam:PassRole");
  });
});

describe("guests", () => {
  test("get credentials of the unauthenticated role, and no further than guests may", async () => {
    const id = await createPool();
    const unauthenticated = await createRole("guest", id, "unauthenticated", "*");
    await admin.send(new sdk.SetIdentityPoolRolesCommand({ IdentityPoolId: id, Roles: { unauthenticated } }));
    const keys = await credentials(await getId(id));
    const who = await access.stsAs(keys).send(new GetCallerIdentityCommand({}));
    expect(who.Arn).toBe(`arn:aws:sts::${account}:assumed-role/guest/CognitoIdentityCredentials`);
    const s3 = new S3Client({ ...access.platform.settings, credentials: keys, forcePathStyle: true });
    await s3.send(new ListBucketsCommand({}));
    const { ListUsersCommand } = await import("@aws-sdk/client-iam");
    expect((await refusal(access.iamAs(keys).send(new ListUsersCommand({})))).name).toBe("AccessDenied");
  });

  test("are not let in where the pool does not allow them", async () => {
    const id = await createPool({ AllowUnauthenticatedIdentities: false });
    expect(await refusal(getId(id))).toMatchObject({
      name: "NotAuthorizedException",
      message: "Unauthenticated access is not supported for this identity pool.",
      status: 400,
    });
  });

  test("get nothing of a role that trusts another pool, or signed-in identities only, or is not there", async () => {
    const [id, other] = [await createPool(), await createPool()];
    const roles = [
      await createRole("of-another", other, "unauthenticated", "*"),
      await createRole("of-members", id, "authenticated", "*"),
      roleArn("nowhere"),
    ];
    const identityId = await getId(id);
    for (const unauthenticated of roles) {
      await admin.send(new sdk.SetIdentityPoolRolesCommand({ IdentityPoolId: id, Roles: { unauthenticated } }));
      expect(await refusal(credentials(identityId))).toMatchObject({
        name: "InvalidIdentityPoolConfigurationException",
        message: "Invalid identity pool configuration. Check assigned IAM roles for this pool.",
      });
    }
  });

  test("are unknown by other ids", async () => {
    const stranger = "us-east-1:00000000-0000-4000-8000-000000000000";
    expect(await refusal(credentials(stranger))).toMatchObject({
      name: "ResourceNotFoundException",
      message: `Identity '${stranger}' not found.`,
    });
    expect(await refusal(getId(stranger))).toMatchObject({ name: "ResourceNotFoundException" });
  });

  test("use the basic flow only where the pool allows it", async () => {
    const id = await createPool();
    const token = guest.send(new sdk.GetOpenIdTokenCommand({ IdentityId: await getId(id) }));
    expect(await refusal(token)).toMatchObject({
      name: "InvalidParameterException",
      message: "Basic (classic) flow is not enabled, please use enhanced flow.",
    });
    const classic = await createPool({ AllowClassicFlow: true });
    const { Token = "" } = await guest.send(new sdk.GetOpenIdTokenCommand({ IdentityId: await getId(classic) }));
    const claims = JSON.parse(Buffer.from(Token.split(".")[1] ?? "", "base64url").toString("utf8"));
    expect(claims).toMatchObject({ iss: `https://${provider}`, aud: classic, amr: ["unauthenticated"] });
    expect(claims.exp - claims.iat).toBe(600);
  });
});

describe("developer identities", () => {
  let pool: string;

  const tokenFor = (user: string, more: Partial<sdk.GetOpenIdTokenForDeveloperIdentityCommandInput> = {}) =>
    admin.send(
      new sdk.GetOpenIdTokenForDeveloperIdentityCommand({ IdentityPoolId: pool, Logins: { dev: user }, ...more }),
    );

  beforeAll(async () => {
    pool = await createPool({ DeveloperProviderName: "dev", AllowUnauthenticatedIdentities: false });
    const authenticated = await createRole("member", pool, "authenticated", "s3:*", ["sts:TagSession"]);
    await admin.send(new sdk.SetIdentityPoolRolesCommand({ IdentityPoolId: pool, Roles: { authenticated } }));
  });

  test("trade their token for credentials with its session tags", async () => {
    const { IdentityId = "", Token = "" } = await tokenFor("u1", { PrincipalTags: { dept: "x" } });
    expect((await tokenFor("u1")).IdentityId).toBe(IdentityId);
    const keys = await credentials(IdentityId, { [provider]: Token });
    const who = await access.stsAs(keys).send(new GetCallerIdentityCommand({}));
    expect(who.Arn).toContain(":assumed-role/member/");
  });

  test("do not show a token for somebody else, of another pool, or one that was changed", async () => {
    const mine = await tokenFor("u2");
    const others = await tokenFor("u3");
    const { IdentityId = "", Token = "" } = mine;
    const wrong = refusal(credentials(IdentityId, { [provider]: others.Token ?? "" }));
    expect((await wrong).message).toContain("Logins don't match.");
    const changed = `${Token.slice(0, -8)}AAAAAAAA`;
    expect((await refusal(credentials(IdentityId, { [provider]: changed }))).message).toBe(
      "Invalid login token. Not a valid OpenId Connect identity token.",
    );
    const [head = "", body = ""] = Token.split(".");
    const none = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
    for (const forged of [`${none}.${body}.`, `${head}.${body}.`]) {
      expect((await refusal(credentials(IdentityId, { [provider]: forged }))).name).toBe("NotAuthorizedException");
    }
    expect((await refusal(credentials(IdentityId))).message).toBe(`Access to Identity '${IdentityId}' is forbidden.`);
  });

  test("are looked up, merged and unlinked", async () => {
    const a = (await tokenFor("a")).IdentityId ?? "";
    const b = (await tokenFor("b")).IdentityId ?? "";
    const names = { DeveloperProviderName: "dev", IdentityPoolId: pool };
    const merged = await admin.send(
      new sdk.MergeDeveloperIdentitiesCommand({ ...names, SourceUserIdentifier: "a", DestinationUserIdentifier: "b" }),
    );
    expect(merged.IdentityId).toBe(b);
    const found = await admin.send(
      new sdk.LookupDeveloperIdentityCommand({ IdentityPoolId: pool, DeveloperUserIdentifier: "a" }),
    );
    expect(found).toMatchObject({ IdentityId: b, DeveloperUserIdentifierList: ["a", "b"] });
    const gone = refusal(admin.send(new sdk.DescribeIdentityCommand({ IdentityId: a })));
    expect((await gone).name).toBe("ResourceNotFoundException");
    await admin.send(new sdk.UnlinkDeveloperIdentityCommand({ ...names, IdentityId: b, DeveloperUserIdentifier: "a" }));
    expect((await tokenFor("a")).IdentityId).not.toBe(b);
  });

  test("are registered once", async () => {
    const first = (await tokenFor("r1")).IdentityId;
    const second = (await tokenFor("r2")).IdentityId;
    expect(first).not.toBe(second);
    expect((await refusal(tokenFor("r1", { IdentityId: second }))).name).toBe(
      "DeveloperUserAlreadyRegisteredException",
    );
  });

  test("need the developer's provider, and the developer's permission", async () => {
    expect((await refusal(tokenFor("x", { Logins: { other: "x" } }))).name).toBe("InvalidParameterException");
    const unsigned = guest.send(
      new sdk.GetOpenIdTokenForDeveloperIdentityCommand({ IdentityPoolId: pool, Logins: { dev: "x" } }),
    );
    await expect(unsigned).rejects.toThrow();
  });

  test("are listed and deleted", async () => {
    const { IdentityId = "" } = await tokenFor("listed");
    const { Identities } = await admin.send(new sdk.ListIdentitiesCommand({ IdentityPoolId: pool, MaxResults: 60 }));
    expect(Identities).toContainEqual(expect.objectContaining({ IdentityId, Logins: ["dev"] }));
    const missing = "us-east-1:00000000-0000-4000-8000-000000000000";
    const { UnprocessedIdentityIds } = await admin.send(
      new sdk.DeleteIdentitiesCommand({ IdentityIdsToDelete: [IdentityId, missing] }),
    );
    expect(UnprocessedIdentityIds).toEqual([{ IdentityId: missing, ErrorCode: "AccessDenied" }]);
  });
});

test("a token of a provider that the pool does not know signs nobody in", async () => {
  const id = await createPool();
  const name = "cognito-idp.us-east-1.amazonaws.com/us-east-1_AAAAAAAAA";
  expect(await refusal(getId(id, { [name]: "x.y.z" }))).toMatchObject({
    name: "NotAuthorizedException",
    message: "Token is not from a supported provider of this identity pool.",
  });
});
