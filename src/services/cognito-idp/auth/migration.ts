import type { Cognito } from "../core.ts";
import { invalidLambdaResponse } from "../errors.ts";
import type { Client, Pool, User } from "../model.ts";
import { composeMessage, deliveryTo } from "../outbox/compose.ts";
import { newPassword } from "../passwords/passwords.ts";
import { checkAttributes } from "../schema.ts";
import { isObject } from "../triggers/triggers.ts";
import { nameUser } from "../users/names.ts";
import { writeUser } from "../users/users.ts";

type Metadata = Readonly<Record<string, string>> | undefined;

/** Somebody who is not here yet: with the password that was given to sign in, or without one, who has forgotten it. */
export interface Migration {
  readonly pool: Pool;
  readonly client: Client;
  readonly username: string;
  readonly now: number;
  readonly asked:
    | { readonly to: "Authentication"; readonly password: string; readonly validationData: Metadata }
    | { readonly to: "ForgotPassword"; readonly clientMetadata: Metadata };
}

/**
 * Ask the pool's function for a user who is not here yet. Undefined when the pool has none, or the function does not know the user.
 *
 * Source: developer guide, "Migrate user Lambda trigger".
 */
export async function migrateUser(cognito: Cognito, migration: Migration): Promise<User | undefined> {
  const { pool, client, username, now, asked } = migration;
  const password = asked.to === "Authentication" ? asked.password : undefined;
  const response = await cognito.triggers.call(pool, "UserMigration", {
    source: `UserMigration_${asked.to}`,
    userName: username,
    clientId: client.id,
    request: {
      password: password ?? null,
      validationData: (asked.to === "Authentication" ? asked.validationData : undefined) ?? null,
      userAttributes: null,
      ...(asked.to === "ForgotPassword" && asked.clientMetadata && { clientMetadata: asked.clientMetadata }),
    },
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
  const verifier =
    password === undefined ? undefined : await newPassword(cognito, pool, { username: name.username }, password, false);
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
    ...(verifier && { password: verifier }),
    mfa: response["enableSMSMFA"] === true ? ["SMS_MFA"] : [],
  };
  const force = response["forceAliasCreation"] === true;
  const welcomes = password === undefined ? [] : await welcome(cognito, migration, user, password, response);
  await cognito.store.transact(async (tx) => {
    await writeUser(tx, pool, user, undefined, force);
    for (const message of welcomes) cognito.outbox.send(tx, message, now);
  });
  return user;
}

/** AWS: who was migrated is welcomed as a user whom an administrator has made, unless the function says otherwise. */
function welcome(
  { triggers }: Pick<Cognito, "triggers">,
  { pool, client, username }: Migration,
  user: User,
  password: string,
  response: Readonly<Record<string, unknown>>,
) {
  if (response["messageAction"] === "SUPPRESS") return [];
  const { desiredDeliveryMediums: asked } = response;
  const mediums: readonly unknown[] = Array.isArray(asked) && asked.length > 0 ? asked : ["SMS"];
  return Promise.all(
    (["email", "phone_number"] as const).flatMap((attribute) => {
      const destination = user.attributes[attribute];
      if (!destination || !mediums.includes(attribute === "email" ? "EMAIL" : "SMS")) return [];
      const delivery = deliveryTo(attribute, destination);
      const about = { pool, clientId: client.id, user, delivery, code: password, name: username };
      return [composeMessage(triggers, { ...about, reason: "AdminCreateUser" })];
    }),
  );
}
