import type { CodeDeliveryDetailsType } from "@aws-sdk/client-cognito-identity-provider";
import { migrateUser } from "../auth/migration.ts";
import type { Cognito } from "../core.ts";
import { codeMismatch, invalidParameter, notAuthorized, userNotFound } from "../errors.ts";
import { type Client, inPool, type Pool, type User } from "../model.ts";
import { type Delivery, deliveryDetails, deliveryTo } from "../outbox/compose.ts";
import { checkPassword, newPassword } from "../passwords/passwords.ts";
import { orRefuse, takeCode } from "./codes.ts";
import { afterConfirmation, hidesUsers, sendCode, simulateCode } from "./sign-up.ts";
import { findUser, readUser, writeUser } from "./users.ts";

type Metadata = Readonly<Record<string, string>> | undefined;

/** Where a code to set a new password is sent: what the pool names first and the user has verified. */
export function recoveryDelivery(pool: Pool, user: User): Delivery | undefined {
  const mechanisms = [...(pool.settings.AccountRecoverySetting?.RecoveryMechanisms ?? [])];
  mechanisms.sort((a, b) => (a.Priority ?? 0) - (b.Priority ?? 0));
  for (const { Name: name } of mechanisms) {
    const kind = name === "verified_email" ? "email" : name === "verified_phone_number" ? "phone_number" : undefined;
    const value = kind && user.attributes[kind];
    // AWS: what a user gets one-time codes at as a second factor is no way to a new password.
    const isFactor = kind === "phone_number" && user.mfa.includes("SMS_MFA") && mechanisms.length > 1;
    if (kind && value && user.attributes[`${kind}_verified`] === "true" && !isFactor) return deliveryTo(kind, value);
  }
  return undefined;
}

export async function forgotPassword(
  cognito: Cognito,
  request: {
    readonly pool: Pool;
    readonly client: Client;
    readonly username: string;
    readonly clientMetadata?: Metadata;
    readonly now: number;
  },
): Promise<CodeDeliveryDetailsType> {
  const { pool, client, now } = request;
  const hides = hidesUsers(client);
  const asked = { to: "ForgotPassword", clientMetadata: request.clientMetadata } as const;
  const user =
    (await cognito.store.read((reader) => findUser(reader, pool, request.username))) ??
    (await migrateUser(cognito, { pool, client, username: request.username, now, asked }));
  const simulate = () => simulateCode(cognito, pool, request.username, "reset", now);
  if (!user) {
    if (hides) return simulate();
    throw userNotFound();
  }
  if (!user.enabled || user.status === "EXTERNAL_PROVIDER" || user.status === "FORCE_CHANGE_PASSWORD") {
    if (hides) return simulate();
    throw notAuthorized(user.enabled ? "User password cannot be reset in the current state." : "User is disabled.");
  }
  const delivery = recoveryDelivery(pool, user);
  if (!delivery) {
    if (hides) return simulate();
    throw invalidParameter(
      "Cannot reset password for the user as there is no registered/verified email or phone_number",
    );
  }
  await sendCode(cognito, {
    pool,
    clientId: client.id,
    user,
    reason: "ForgotPassword",
    purpose: "reset",
    delivery,
    clientMetadata: request.clientMetadata,
    now,
  });
  return deliveryDetails(delivery);
}

export async function confirmForgotPassword(
  cognito: Cognito,
  request: {
    readonly pool: Pool;
    readonly client: Client;
    readonly username: string;
    readonly code: string;
    readonly password: string;
    readonly clientMetadata?: Metadata;
    readonly now: number;
  },
): Promise<void> {
  const { store, seal } = cognito;
  const { pool, client, now } = request;
  checkPassword(pool, request.password);
  const found = await store.read((reader) => findUser(reader, pool, request.username));
  if (!found?.enabled) {
    if (!hidesUsers(client)) throw found ? notAuthorized("User is disabled.") : userNotFound();
    // As long as it takes for who is there.
    await newPassword(cognito, pool, { username: request.username }, request.password, false);
    throw codeMismatch();
  }
  const password = await newPassword(cognito, pool, found, request.password, true);
  const result = await store.transact(async (tx) => {
    const before = await readUser(tx, pool, found.key);
    if (!before) return { user: undefined, outcome: { outcome: "expired" } as const };
    const outcome = await takeCode(seal, tx, pool, before, "reset", request.code, now);
    if (outcome.outcome !== "good") return { user: before, outcome };
    const { attribute, destination } = outcome.code;
    const attributes = { ...before.attributes };
    if (attribute !== undefined && attributes[attribute] === destination) attributes[`${attribute}_verified`] = "true";
    const { temporaryUntil: _over, ...kept } = before;
    const user: User = { ...kept, attributes, password, status: "CONFIRMED", updatedAt: now };
    await writeUser(tx, pool, user, before);
    tx.delete(inPool("failures", pool.id, user.key, "password"));
    return { user, outcome };
  });
  orRefuse(result.outcome);
  if (!result.user) throw codeMismatch();
  await afterConfirmation(cognito, pool, client.id, result.user, "ConfirmForgotPassword", request.clientMetadata);
}
