import type { AttributeType, DeliveryMediumType } from "@aws-sdk/client-cognito-identity-provider";
import type { Cognito } from "../core.ts";
import { aliasExists, invalidParameter, unsupportedUserState, userNotFound, usernameExists } from "../errors.ts";
import { inPool, type Pool, type User } from "../model.ts";
import { composeMessage, deliveryTo } from "../outbox/compose.ts";
import { checkPassword, newPassword, temporaryPassword } from "../passwords/passwords.ts";
import { aliasesOf } from "../rules.ts";
import { checkAttributes, toAttributes } from "../schema.ts";
import { nameUser } from "./names.ts";
import { findUser, readUser, writeUser } from "./users.ts";

export interface AdminCreate {
  readonly pool: Pool;
  readonly username: string;
  readonly attributes: readonly AttributeType[] | undefined;
  readonly validationData: readonly AttributeType[] | undefined;
  readonly temporaryPassword: string | undefined;
  readonly forceAliasCreation: boolean;
  readonly messageAction: "RESEND" | "SUPPRESS" | undefined;
  readonly mediums: readonly DeliveryMediumType[] | undefined;
  readonly clientMetadata: Readonly<Record<string, string>> | undefined;
  readonly now: number;
}

/** Make a user with a temporary password, and invite the user; or invite again. */
export async function adminCreateUser(cognito: Cognito, request: AdminCreate): Promise<User> {
  const { pool } = request;
  if (request.temporaryPassword !== undefined) checkPassword(pool, request.temporaryPassword);
  const secret = request.temporaryPassword ?? temporaryPassword(cognito, pool);
  const user =
    request.messageAction === "RESEND" ? await again(cognito, request, secret) : await create(cognito, request, secret);
  if (request.messageAction === "SUPPRESS") return user;
  await invite(cognito, request, user, secret);
  return user;
}

function temporaryUntil(pool: Pool, now: number): number {
  return now + (pool.settings.Policies?.PasswordPolicy?.TemporaryPasswordValidityDays ?? 7) * 86_400_000;
}

async function again(cognito: Cognito, request: AdminCreate, secret: string): Promise<User> {
  const { pool, now } = request;
  const found = await cognito.store.read((reader) => findUser(reader, pool, request.username));
  if (!found) throw userNotFound();
  if (found.status !== "FORCE_CHANGE_PASSWORD") {
    throw unsupportedUserState(`Resend not possible. ${found.username} status is not FORCE_CHANGE_PASSWORD`);
  }
  const password = await newPassword(cognito, pool, found, secret, false);
  return cognito.store.transact(async (tx) => {
    const before = await readUser(tx, pool, found.key);
    if (!before) throw userNotFound();
    const user: User = { ...before, password, temporaryUntil: temporaryUntil(pool, now), updatedAt: now };
    await writeUser(tx, pool, user, before);
    return user;
  });
}

async function create(cognito: Cognito, request: AdminCreate, secret: string): Promise<User> {
  const { store, triggers, ids } = cognito;
  const { pool, now } = request;
  const name = nameUser(ids, pool, request.username, toAttributes(request.attributes));
  checkAttributes(pool, name.attributes, undefined, { by: "admin" });
  const decided = await triggers.call(pool, "PreSignUp", {
    source: "PreSignUp_AdminCreateUser",
    userName: name.username,
    clientId: undefined,
    request: {
      userAttributes: name.attributes,
      validationData: request.validationData ? toAttributes(request.validationData) : null,
      ...(request.clientMetadata && { clientMetadata: request.clientMetadata }),
    },
    response: { autoConfirmUser: false, autoVerifyEmail: false, autoVerifyPhone: false },
  });
  const attributes = { ...name.attributes };
  if (decided?.["autoVerifyEmail"] === true && attributes["email"]) attributes["email_verified"] = "true";
  if (decided?.["autoVerifyPhone"] === true && attributes["phone_number"]) {
    attributes["phone_number_verified"] = "true";
  }
  const user: User = {
    v: 1,
    poolId: pool.id,
    username: name.username,
    key: name.key,
    sub: name.sub,
    attributes,
    status: "FORCE_CHANGE_PASSWORD",
    enabled: true,
    createdAt: now,
    updatedAt: now,
    password: await newPassword(cognito, pool, { username: name.username }, secret, false),
    temporaryUntil: temporaryUntil(pool, now),
    mfa: [],
  };
  await store.transact(async (tx) => {
    if (await readUser(tx, pool, user.key)) throw usernameExists();
    if (!request.forceAliasCreation) {
      const isName = (kind: string) => (pool.settings.UsernameAttributes ?? []).some((each) => each === kind);
      for (const [kind, value] of aliasesOf(pool, user)) {
        if (!(await tx.get(inPool("alias", pool.id, kind, value)))) continue;
        throw isName(kind) ? usernameExists(kind) : aliasExists(kind);
      }
    }
    await writeUser(tx, pool, user, undefined, request.forceAliasCreation);
  });
  return user;
}

/** AWS: by text message unless told otherwise; where that cannot be, nothing is said, but for a medium that was asked for. */
async function invite(cognito: Cognito, request: AdminCreate, user: User, secret: string): Promise<void> {
  const { pool, now } = request;
  for (const medium of request.mediums ?? (["SMS"] as const)) {
    const attribute = medium === "EMAIL" ? "email" : "phone_number";
    const destination = user.attributes[attribute];
    if (!destination) {
      if (request.mediums) throw invalidParameter(`User has no ${attribute} attribute to deliver the message to`);
      continue;
    }
    const message = await composeMessage(cognito.triggers, {
      pool,
      clientId: undefined,
      user,
      reason: "AdminCreateUser",
      delivery: deliveryTo(attribute, destination),
      code: secret,
      name: request.username,
      ...(request.clientMetadata && { clientMetadata: request.clientMetadata }),
    });
    await cognito.store.transact(async (tx) => cognito.outbox.send(tx, message, now));
  }
}
