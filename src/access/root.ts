import { join } from "node:path";
import type { Ids } from "../kernel/ids.ts";
import type { AccessKeySource } from "./credential-source.ts";
import { createAccessKeyId, createSecretAccessKey } from "./access-keys.ts";
import { readNamedFile, readOrCreatePrivateFile, writePrivateFile } from "./private-file.ts";

export interface RootCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/**
 * The root's credentials: the 0600 file `credentials` in the data folder, made at the first start. AWS tools can read
 * it as it is (`AWS_SHARED_CREDENTIALS_FILE`). Replacing it and starting again rotates them. Several nodes are given one
 * file of that form, by name.
 */
export async function openRootCredentials(dataFolder: string, ids: Ids, file?: string): Promise<RootCredentials> {
  if (file !== undefined) return parseCredentialsFile(await readNamedFile(file, "the root's credentials"));
  const text = await readOrCreatePrivateFile(join(dataFolder, "credentials"), () =>
    toCredentialsFile(createRootCredentials(ids)),
  );
  return parseCredentialsFile(text);
}

/** Those of the other nodes, in this one's data folder, too. */
export async function writeRootCredentials(dataFolder: string, credentials: RootCredentials): Promise<void> {
  await writePrivateFile(join(dataFolder, "credentials"), toCredentialsFile(credentials));
}

function toCredentialsFile({ accessKeyId, secretAccessKey }: RootCredentials): string {
  return `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
}

export function createRootCredentials(ids: Ids): RootCredentials {
  return { accessKeyId: createAccessKeyId(ids, "AKIA"), secretAccessKey: createSecretAccessKey(ids) };
}

export function createRootSource(account: string, credentials: RootCredentials): AccessKeySource {
  const { accessKeyId, secretAccessKey } = credentials;
  const key = {
    secretAccessKey,
    principal: { type: "root", account, arn: `arn:aws:iam::${account}:root`, accessKeyId },
  } as const;
  return { findAccessKey: (id) => (id === accessKeyId ? key : undefined) };
}

function parseCredentialsFile(text: string): RootCredentials {
  const value = (name: string) => new RegExp(`^\\s*${name}\\s*=\\s*(\\S+)\\s*$`, "m").exec(text)?.[1];
  const accessKeyId = value("aws_access_key_id");
  const secretAccessKey = value("aws_secret_access_key");
  if (!accessKeyId || !secretAccessKey) {
    throw new Error("The file credentials in the data folder has no aws_access_key_id and aws_secret_access_key");
  }
  return { accessKeyId, secretAccessKey };
}
