import type { Key, Reader } from "../../kernel/store/store.ts";
import { nameKey, readAll } from "./model.ts";

/** What would hand a role to an instance. Stored, for templates that name one: there are no instances here. */
export interface InstanceProfile {
  readonly v: 1;
  readonly name: string;
  readonly id: string;
  readonly path: string;
  readonly arn: string;
  readonly createdAt: number;
  /** One at the most, by name. */
  readonly roleName: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

export function instanceProfilePrefix(account: string): Key {
  return ["iam", account, "instanceProfile"];
}

export function instanceProfileKey(account: string, name: string): Key {
  return [...instanceProfilePrefix(account), nameKey(name)];
}

export async function readInstanceProfile(
  reader: Reader,
  account: string,
  name: string,
): Promise<InstanceProfile | undefined> {
  return await reader.get<InstanceProfile>(instanceProfileKey(account, name));
}

export async function profilesOf(reader: Reader, account: string, roleName: string): Promise<InstanceProfile[]> {
  const all = await readAll<InstanceProfile>(reader, instanceProfilePrefix(account));
  return all.filter((profile) => profile.roleName !== undefined && nameKey(profile.roleName) === nameKey(roleName));
}
