import { join } from "node:path";
import { parseArgs } from "node:util";
import type * as sdk from "@aws-sdk/client-iam";
import { createRootCredentials, openRootCredentials, writeRootCredentials } from "../access/root.ts";
import { openServerKeys } from "../access/server-keys.ts";
import { isServerKeyOf, rotateSharedRoot } from "../access/shared-keys.ts";
import { readDataDir } from "../config.ts";
import { randomIds } from "../kernel/ids.ts";
import { CommandError, type Command, type Output } from "./command.ts";
import { connectionOptions, openConnection } from "./connection.ts";
import { openServedPlace } from "./place.ts";
import { toColumns } from "./table.ts";

type Sdk = typeof sdk;

export const keysCommand: Command = {
  name: "keys",
  usage:
    "keys list|create|rotate|disable|enable|delete|rotate-root [USER|KEY] [--store URL] [--port PORT] [--data DIR]",
  summary: "shows and changes access keys",
  help: "list [USER]: keys, whose they are, and when each was last used.\ncreate USER: a new key; its secret is printed once.\nrotate USER: a new key, and the ones before are switched off ('keys delete' removes them once nothing uses them).\ndisable, enable, delete KEY: by the key's id.\nrotate-root: a new key for the root, in the file credentials of the data folder, and for every node of a shared store (--store, or CUMULET_STORE). It counts at once; the key before it is not taken any more, and sessions that it began last an hour at the most.",
  async run(argv, output) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { ...connectionOptions, store: { type: "string" } },
      allowPositionals: true,
    });
    const [verb, name] = positionals;
    if (verb === "rotate-root") return await rotateRoot(values, output);
    const iamSdk = await import("@aws-sdk/client-iam");
    const iam = new iamSdk.IAMClient(await openConnection(values));
    if (verb === "list") return await list(iamSdk, iam, output, name);
    if (name === undefined) throw new CommandError("Say what to do, and with which: cumulet keys create USER");
    switch (verb) {
      case "create":
        return await create(iamSdk, iam, output, name);
      case "rotate":
        return await rotate(iamSdk, iam, output, name);
      case "disable":
        return await setStatus(iamSdk, iam, output, name, "Inactive");
      case "enable":
        return await setStatus(iamSdk, iam, output, name, "Active");
      case "delete": {
        const UserName = await ownerOf(iamSdk, iam, name);
        await iam.send(new iamSdk.DeleteAccessKeyCommand({ UserName, AccessKeyId: name }));
        output.err(`${name} of ${UserName} is gone.`);
        return 0;
      }
      default:
        throw new CommandError(`There is no cumulet keys ${verb}. 'cumulet keys --help' tells what there is.`);
    }
  },
};

async function list(iamSdk: Sdk, iam: sdk.IAMClient, output: Output, user: string | undefined): Promise<number> {
  const rows = [["key", "user", "status", "created", "last used", "service", "region"]];
  for (const UserName of user === undefined ? await allUsers(iamSdk, iam) : [user]) {
    const { AccessKeyMetadata = [] } = await iam.send(new iamSdk.ListAccessKeysCommand({ UserName }));
    for (const { AccessKeyId, Status, CreateDate } of AccessKeyMetadata) {
      const asked = new iamSdk.GetAccessKeyLastUsedCommand({ AccessKeyId });
      const { AccessKeyLastUsed: use } = await iam.send(asked);
      rows.push([
        AccessKeyId ?? "",
        UserName,
        Status ?? "",
        CreateDate?.toISOString().slice(0, 10) ?? "",
        use?.LastUsedDate ? `${use.LastUsedDate.toISOString().slice(0, 16)}Z` : "never",
        use?.ServiceName ?? "",
        use?.Region ?? "",
      ]);
    }
  }
  if (rows.length === 1) output.err("There are no access keys but the root's, which is in the file credentials.");
  else for (const line of toColumns(rows)) output.out(line);
  return 0;
}

async function allUsers(iamSdk: Sdk, iam: sdk.IAMClient): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { Users = [] } of iamSdk.paginateListUsers({ client: iam }, {})) {
    names.push(...Users.map(({ UserName }) => UserName ?? ""));
  }
  return names;
}

async function create(iamSdk: Sdk, iam: sdk.IAMClient, output: Output, UserName: string): Promise<number> {
  const { AccessKey } = await iam.send(new iamSdk.CreateAccessKeyCommand({ UserName }));
  output.out(`aws_access_key_id = ${AccessKey?.AccessKeyId}`);
  output.out(`aws_secret_access_key = ${AccessKey?.SecretAccessKey}`);
  return 0;
}

async function rotate(iamSdk: Sdk, iam: sdk.IAMClient, output: Output, UserName: string): Promise<number> {
  const { AccessKeyMetadata = [] } = await iam.send(new iamSdk.ListAccessKeysCommand({ UserName }));
  await create(iamSdk, iam, output, UserName);
  for (const { AccessKeyId, Status } of AccessKeyMetadata) {
    if (Status !== "Active") continue;
    await iam.send(new iamSdk.UpdateAccessKeyCommand({ UserName, AccessKeyId, Status: "Inactive" }));
    output.err(`${AccessKeyId} is switched off. 'cumulet keys delete ${AccessKeyId}' removes it.`);
  }
  return 0;
}

async function setStatus(
  iamSdk: Sdk,
  iam: sdk.IAMClient,
  output: Output,
  AccessKeyId: string,
  Status: "Active" | "Inactive",
): Promise<number> {
  const UserName = await ownerOf(iamSdk, iam, AccessKeyId);
  await iam.send(new iamSdk.UpdateAccessKeyCommand({ UserName, AccessKeyId, Status }));
  output.err(`${AccessKeyId} of ${UserName} is ${Status === "Active" ? "switched on" : "switched off"}.`);
  return 0;
}

async function ownerOf(iamSdk: Sdk, iam: sdk.IAMClient, AccessKeyId: string): Promise<string> {
  const { UserName } = await iam.send(new iamSdk.GetAccessKeyLastUsedCommand({ AccessKeyId }));
  if (UserName === undefined) throw new CommandError(`${AccessKeyId} is nobody's access key.`);
  return UserName;
}

/** Works on the store itself: a server may be running or not. The store is written first; a server brings its file up to it. */
async function rotateRoot(
  flags: { readonly data?: string | undefined; readonly store?: string | undefined },
  output: Output,
): Promise<number> {
  if (process.env["CUMULET_CREDENTIALS_FILE"] !== undefined) {
    throw new CommandError(
      "CUMULET_CREDENTIALS_FILE names the root's credentials: replace that file on every node, and start them again.",
    );
  }
  const dataDir = readDataDir(flags.data);
  const place = await openServedPlace(flags.store, dataDir);
  try {
    const keys = await openServerKeys(dataDir, {
      text: process.env["CUMULET_SERVER_KEY"],
      file: process.env["CUMULET_SERVER_KEY_FILE"],
      make: false,
    });
    if (!(await isServerKeyOf(place.store, keys))) {
      throw new CommandError(`The server key of ${dataDir} is not that of its store: nothing was changed.`);
    }
    const before = await openRootCredentials(dataDir, randomIds);
    const next = createRootCredentials(randomIds);
    await rotateSharedRoot(place.store, keys, { ...next, replaces: before.accessKeyId });
    await writeRootCredentials(dataDir, next);
    output.err(`The root has the key ${next.accessKeyId} now; ${before.accessKeyId} is not taken any more.`);
    output.out(join(dataDir, "credentials"));
    return 0;
  } finally {
    await place.close();
  }
}
