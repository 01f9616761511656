import type { Cognito } from "../core.ts";
import { invalidLambdaResponse } from "../errors.ts";
import type { User } from "../model.ts";
import { newPassword } from "../passwords/passwords.ts";
import { checkAttributes } from "../schema.ts";
import { isObject } from "../triggers/triggers.ts";
import { nameUser } from "../users/names.ts";
import { writeUser } from "../users/users.ts";
import type { AuthContext } from "./flow.ts";

/**
 * Ask the pool's function for a user who is not here yet. Undefined when the pool has none, or the function does not know the user.
 *
 * Source: developer guide, "Migrate user Lambda trigger".
 */
export async function migrateUser(
  cognito: Cognito,
  context: AuthContext,
  username: string,
  password: string,
  validationData: Readonly<Record<string, string>> | undefined,
): Promise<User | undefined> {
  const { pool, client, now } = context;
  const response = await cognito.triggers.call(pool, "UserMigration", {
    source: "UserMigration_Authentication",
    userName: username,
    clientId: client.id,
    request: { password, validationData: validationData ?? null, userAttributes: null },
    response: {
      userAttributes: null,
      forceAliasCreation: null,
      finalUserStatus: null,
      messageAction: null,
      desiredDeliveryMediums: null,
      enableSMSMFA: null,
    },
  });
  const given = response?.["userAttributes"];
  if (!response || !isObject(given)) return undefined;
  const { username: _name, sub: _sub, ...others } = given;
  const attributes = Object.fromEntries(Object.entries(others).map(([name, value]) => [name, String(value)]));
  const status = response["finalUserStatus"] ?? "RESET_REQUIRED";
  if (status !== "CONFIRMED" && status !== "RESET_REQUIRED")
    throw invalidLambdaResponse("Unrecognizable lambda output");
  const name = nameUser(cognito.ids, pool, username, attributes);
  checkAttributes(pool, name.attributes, undefined, { by: "admin" });
  const user: User = {
    v: 1,
    poolId: pool.id,
    username: name.username,
    key: name.key,
    sub: name.sub,
    attributes: name.attributes,
    status,
    enabled: true,
    createdAt: now,
    updatedAt: now,
    password: await newPassword(cognito, pool, { username: name.username }, password, false),
    mfa: response["enableSMSMFA"] === true ? ["SMS_MFA"] : [],
  };
  const force = response["forceAliasCreation"] === true;
  await cognito.store.transact(async (tx) => writeUser(tx, pool, user, undefined, force));
  return user;
}
