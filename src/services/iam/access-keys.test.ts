import * as sdk from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  account,
  policy,
  statement,
  type AccessTest,
  type Keys,
  refusal,
  startAccessTest,
} from "../../testing/access.ts";

let access: AccessTest;
let iamAs: AccessTest["iamAs"];
let createUser: AccessTest["createUser"];
let iam: AccessTest["iam"];
let stsAs: AccessTest["stsAs"];

beforeAll(async () => {
  access = await startAccessTest();
  ({ iamAs, createUser, iam, stsAs } = access);
});
afterAll(() => access.stop());

const who = (as: Keys) => stsAs(as).send(new GetCallerIdentityCommand({}));

const lastUsed = (AccessKeyId: string, as = iam) => as.send(new sdk.GetAccessKeyLastUsedCommand({ AccessKeyId }));

describe("access keys", () => {
  test("cannot sign with a key that is inactive or deleted, or with a wrong secret", async () => {
    const keys = await createUser("rotating");
    expect(await refusal(who({ ...keys, secretAccessKey: "wrong" }))).toMatchObject({
      name: "SignatureDoesNotMatch",
      status: 403,
    });
    const AccessKeyId = keys.accessKeyId;
    await iam.send(new sdk.UpdateAccessKeyCommand({ UserName: "rotating", AccessKeyId, Status: "Inactive" }));
    const invalid = {
      name: "InvalidClientTokenId",
      message: "The security token included in the request is invalid.",
      status: 403,
    };
    expect(await refusal(who(keys))).toEqual(invalid);
    await iam.send(new sdk.UpdateAccessKeyCommand({ UserName: "rotating", AccessKeyId, Status: "Active" }));
    await who(keys);
    await iam.send(new sdk.DeleteAccessKeyCommand({ UserName: "rotating", AccessKeyId }));
    expect(await refusal(who(keys))).toEqual(invalid);
  });

  test("CreateAccessKey answers LimitExceeded for a third key", async () => {
    const UserName = "collector";
    await createUser(UserName);
    await iam.send(new sdk.CreateAccessKeyCommand({ UserName }));
    expect(await refusal(iam.send(new sdk.CreateAccessKeyCommand({ UserName })))).toEqual({
      name: "LimitExceededException",
      message: "Cannot exceed quota for AccessKeysPerUser: 2",
      status: 409,
    });
  });

  describe("GetAccessKeyLastUsed", () => {
    test("answers N/A for a key that was never used, and then when, where and for what", async () => {
      const { accessKeyId, ...rest } = await createUser("used");
      expect(await lastUsed(accessKeyId)).toMatchObject({
        UserName: "used",
        AccessKeyLastUsed: { ServiceName: "N/A", Region: "N/A" },
      });
      const before = Math.floor(Date.now() / 1000) * 1000;
      await who({ accessKeyId, ...rest });
      // Nobody waits for it to be written down.
      await expect
        .poll(async () => (await lastUsed(accessKeyId)).AccessKeyLastUsed)
        .toMatchObject({ ServiceName: "sts", Region: "us-east-1" });
      const { AccessKeyLastUsed } = await lastUsed(accessKeyId);
      expect(AccessKeyLastUsed?.LastUsedDate?.getTime()).toBeGreaterThanOrEqual(before);
    });

    test("does not count a request whose signature was wrong", async () => {
      const keys = await createUser("guessed");
      expect(await refusal(who({ ...keys, secretAccessKey: "wrong" }))).toMatchObject({ status: 403 });
      expect((await lastUsed(keys.accessKeyId)).AccessKeyLastUsed).toMatchObject({ ServiceName: "N/A" });
    });

    test("answers NoSuchEntity for a key that there is not", async () => {
      expect(await refusal(lastUsed("AKIAAAAAAAAAAAAAAAAA"))).toMatchObject({ status: 404 });
    });

    test("is decided by the ARN of the key's user, path included", async () => {
      await iam.send(new sdk.CreateUserCommand({ UserName: "placed", Path: "/team/" }));
      const { AccessKey } = await iam.send(new sdk.CreateAccessKeyCommand({ UserName: "placed" }));
      const allow = statement("iam:GetAccessKeyLastUsed", `arn:aws:iam::${account}:user/team/*`);
      const keys = await createUser("auditor", policy(allow));
      expect(await lastUsed(AccessKey?.AccessKeyId ?? "", iamAs(keys))).toMatchObject({ UserName: "placed" });
      expect(await refusal(lastUsed(keys.accessKeyId, iamAs(keys)))).toMatchObject({ name: "AccessDenied" });
    });
  });
});

describe("access keys, where --dev takes any credentials,", () => {
  let dev: AccessTest;

  beforeAll(async () => {
    dev = await startAccessTest({ dev: true });
  });
  afterAll(() => dev.stop());

  test("that are inactive open nothing", async () => {
    const keys = await dev.createUser("dormant");
    const UserName = "dormant";
    const AccessKeyId = keys.accessKeyId;
    await dev.iam.send(new sdk.UpdateAccessKeyCommand({ UserName, AccessKeyId, Status: "Inactive" }));
    expect(await refusal(dev.iamAs(keys).send(new sdk.ListUsersCommand({})))).toMatchObject({
      name: "InvalidClientTokenId",
      status: 403,
    });
  });

  test("GetAccessKeyLastUsed does not tell another account whose a key is", async () => {
    const { accessKeyId } = await dev.createUser("private");
    const stranger = { accessKeyId: "111111111111", secretAccessKey: "any" };
    expect(await refusal(lastUsed(accessKeyId, dev.iamAs(stranger)))).toMatchObject({ status: 404 });
    await dev.iamAs(stranger).send(new sdk.CreateUserCommand({ UserName: "snoop" }));
    const { AccessKey } = await dev.iamAs(stranger).send(new sdk.CreateAccessKeyCommand({ UserName: "snoop" }));
    const snoop = { accessKeyId: AccessKey?.AccessKeyId ?? "", secretAccessKey: AccessKey?.SecretAccessKey ?? "" };
    const { name, message } = await refusal(lastUsed(accessKeyId, dev.iamAs(snoop)));
    expect(name).toBe("AccessDenied");
    expect(message).not.toContain("private");
  });
});
