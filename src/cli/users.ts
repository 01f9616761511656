import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import type * as sdk from "@aws-sdk/client-iam";
import { CommandError, type Command, type Output } from "./command.ts";
import { connectionOptions, openConnection } from "./connection.ts";
import { toColumns } from "./table.ts";

type Sdk = typeof sdk;

export const usersCommand: Command = {
  name: "users",
  usage: "users list|create|delete|password [NAME] [--policy ARN] [--group NAME] [--reset] [--port PORT] [--data DIR]",
  summary: "shows and changes the account's users",
  help: "list: the users, with their groups, keys, password and devices.\ncreate NAME: a user; --policy (again and again) attaches managed policies by ARN, --group puts it into groups. 'cumulet keys create NAME' gives it a key.\ndelete NAME: the user with all that is its: keys, password, devices, policies, groups.\npassword NAME: a new random password, printed once; --reset asks for another at the first sign-in.",
  async run(argv, output) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: {
        ...connectionOptions,
        policy: { type: "string", multiple: true },
        group: { type: "string", multiple: true },
        reset: { type: "boolean" },
      },
      allowPositionals: true,
    });
    const [verb, name] = positionals;
    const iamSdk = await import("@aws-sdk/client-iam");
    const iam = new iamSdk.IAMClient(await openConnection(values));
    if (verb === "list") return await list(iamSdk, iam, output);
    if (name === undefined) throw new CommandError("Say what to do, and with whom: cumulet users create NAME");
    switch (verb) {
      case "create":
        return await create(iamSdk, iam, output, name, values.policy ?? [], values.group ?? []);
      case "delete":
        return await remove(iamSdk, iam, output, name);
      case "password":
        return await setPassword(iamSdk, iam, output, name, values.reset ?? false);
      default:
        throw new CommandError(`There is no cumulet users ${verb}: list, create, delete or password.`);
    }
  },
};

async function list(iamSdk: Sdk, iam: sdk.IAMClient, output: Output): Promise<number> {
  const rows = [["user", "created", "groups", "keys", "password", "devices"]];
  for await (const { Users = [] } of iamSdk.paginateListUsers({ client: iam }, {})) {
    for (const { UserName, CreateDate } of Users) {
      const { Groups = [] } = await iam.send(new iamSdk.ListGroupsForUserCommand({ UserName }));
      const { AccessKeyMetadata = [] } = await iam.send(new iamSdk.ListAccessKeysCommand({ UserName }));
      const { MFADevices = [] } = await iam.send(new iamSdk.ListMFADevicesCommand({ UserName }));
      const active = AccessKeyMetadata.filter(({ Status }) => Status === "Active").length;
      rows.push([
        UserName ?? "",
        CreateDate?.toISOString().slice(0, 10) ?? "",
        Groups.map(({ GroupName }) => GroupName).join(",") || "-",
        `${active} of ${AccessKeyMetadata.length}`,
        (await has(iam.send(new iamSdk.GetLoginProfileCommand({ UserName })))) ? "yes" : "no",
        String(MFADevices.length),
      ]);
    }
  }
  if (rows.length === 1) output.err("There are no users: only the root, whose key is in the file credentials.");
  else for (const line of toColumns(rows)) output.out(line);
  return 0;
}

async function create(
  iamSdk: Sdk,
  iam: sdk.IAMClient,
  output: Output,
  UserName: string,
  policies: readonly string[],
  groups: readonly string[],
): Promise<number> {
  const { User } = await iam.send(new iamSdk.CreateUserCommand({ UserName }));
  for (const PolicyArn of policies) await iam.send(new iamSdk.AttachUserPolicyCommand({ UserName, PolicyArn }));
  for (const GroupName of groups) await iam.send(new iamSdk.AddUserToGroupCommand({ UserName, GroupName }));
  output.out(User?.Arn ?? "");
  return 0;
}

async function remove(iamSdk: Sdk, iam: sdk.IAMClient, output: Output, UserName: string): Promise<number> {
  const { AccessKeyMetadata = [] } = await iam.send(new iamSdk.ListAccessKeysCommand({ UserName }));
  for (const { AccessKeyId } of AccessKeyMetadata) {
    await iam.send(new iamSdk.DeleteAccessKeyCommand({ UserName, AccessKeyId }));
  }
  if (await has(iam.send(new iamSdk.GetLoginProfileCommand({ UserName })))) {
    await iam.send(new iamSdk.DeleteLoginProfileCommand({ UserName }));
  }
  const { MFADevices = [] } = await iam.send(new iamSdk.ListMFADevicesCommand({ UserName }));
  for (const { SerialNumber } of MFADevices) {
    await iam.send(new iamSdk.DeactivateMFADeviceCommand({ UserName, SerialNumber }));
    await iam.send(new iamSdk.DeleteVirtualMFADeviceCommand({ SerialNumber }));
  }
  const { AttachedPolicies = [] } = await iam.send(new iamSdk.ListAttachedUserPoliciesCommand({ UserName }));
  for (const { PolicyArn } of AttachedPolicies) {
    await iam.send(new iamSdk.DetachUserPolicyCommand({ UserName, PolicyArn }));
  }
  const { PolicyNames = [] } = await iam.send(new iamSdk.ListUserPoliciesCommand({ UserName }));
  for (const PolicyName of PolicyNames) {
    await iam.send(new iamSdk.DeleteUserPolicyCommand({ UserName, PolicyName }));
  }
  const { Groups = [] } = await iam.send(new iamSdk.ListGroupsForUserCommand({ UserName }));
  for (const { GroupName } of Groups) {
    await iam.send(new iamSdk.RemoveUserFromGroupCommand({ UserName, GroupName }));
  }
  await iam.send(new iamSdk.DeleteUserCommand({ UserName }));
  output.err(`${UserName} is gone.`);
  return 0;
}

async function setPassword(
  iamSdk: Sdk,
  iam: sdk.IAMClient,
  output: Output,
  UserName: string,
  PasswordResetRequired: boolean,
): Promise<number> {
  const profile = { UserName, Password: createPassword(), PasswordResetRequired };
  const known = await has(iam.send(new iamSdk.GetLoginProfileCommand({ UserName })));
  if (known) await iam.send(new iamSdk.UpdateLoginProfileCommand(profile));
  else await iam.send(new iamSdk.CreateLoginProfileCommand(profile));
  output.out(profile.Password);
  return 0;
}

const kinds = ["ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnopqrstuvwxyz", "23456789", "!@#$%^&*-_=+"];

/** 24 characters, of each kind some: whatever a password policy asks for but a length beyond. */
function createPassword(): string {
  const every = kinds.join("");
  for (;;) {
    const text = Array.from({ length: 24 }, () => every.charAt(randomInt(every.length))).join("");
    if (kinds.every((kind) => [...kind].some((character) => text.includes(character)))) return text;
  }
}

async function has(sent: Promise<unknown>): Promise<boolean> {
  try {
    await sent;
    return true;
  } catch (error) {
    if (error instanceof Error && error.name.startsWith("NoSuchEntity")) return false;
    throw error;
  }
}
