import type { AttributeType, CodeDeliveryDetailsType } from "@aws-sdk/client-cognito-identity-provider";
import type { Cognito } from "../core.ts";
import {
  aliasExists,
  codeMismatch,
  expiredCode,
  invalidParameter,
  invalidSession,
  notAuthorized,
  userNotFound,
} from "../errors.ts";
import type { Transaction } from "../../../kernel/store/store.ts";
import { linkOf } from "../outbox/link.ts";
import { type Client, inPool, type Pool, type User } from "../model.ts";
import { composeMessage, type Delivery, deliveryDetails, deliveryTo, type MessageReason } from "../outbox/compose.ts";
import { checkPassword, newPassword } from "../passwords/passwords.ts";
import { aliasesOf, nameKey } from "../rules.ts";
import { checkAttributes, toAttributes } from "../schema.ts";
import { attributesForTriggers } from "../tokens/claims.ts";
import { drawCode, orRefuse, takeCode, writeCode } from "./codes.ts";
import { nameUser } from "./names.ts";
import { findUser, readUser, writeUser } from "./users.ts";

type Metadata = Readonly<Record<string, string>> | undefined;

export interface SignUp {
  readonly pool: Pool;
  readonly client: Client;
  readonly username: string;
  readonly password: string | undefined;
  /** The platform's address as the client reached it: where links lead. */
  readonly endpoint: string;
  readonly attributes: readonly AttributeType[] | undefined;
  readonly validationData?: readonly AttributeType[] | undefined;
  readonly clientMetadata?: Metadata;
  readonly now: number;
}

/** Make a user who signs up: the same for the API and the hosted pages. */
export async function signUp(
  cognito: Cognito,
  request: SignUp,
): Promise<{ readonly user: User; readonly delivery: CodeDeliveryDetailsType | undefined }> {
  const { store, triggers, outbox } = cognito;
  const { pool, client, now } = request;
  if (pool.settings.AdminCreateUserConfig?.AllowAdminCreateUserOnly === true) {
    throw notAuthorized("SignUp is not permitted for this user pool");
  }
  const given = toAttributes(request.attributes);
  const name = nameUser(cognito.ids, pool, request.username, given);
  if (request.password !== undefined) checkPassword(pool, request.password);
  else if ((pool.settings.Policies?.SignInPolicy?.AllowedFirstAuthFactors?.length ?? 1) <= 1) {
    throw invalidParameter(
      "1 validation error detected: Value null at 'password' failed to satisfy constraint: Member must not be null",
    );
  }
  checkAttributes(pool, name.attributes, undefined, { by: "client", client });

  const decided = await triggers.call(pool, "PreSignUp", {
    source: "PreSignUp_SignUp",
    userName: name.username,
    clientId: client.id,
    request: {
      userAttributes: name.attributes,
      validationData: request.validationData ? toAttributes(request.validationData) : null,
      ...(request.clientMetadata && { clientMetadata: request.clientMetadata }),
    },
    response: { autoConfirmUser: false, autoVerifyEmail: false, autoVerifyPhone: false },
  });
  const confirmed = decided?.["autoConfirmUser"] === true;
  const attributes = { ...name.attributes };
  if (decided?.["autoVerifyEmail"] === true && attributes["email"]) attributes["email_verified"] = "true";
  if (decided?.["autoVerifyPhone"] === true && attributes["phone_number"]) {
    attributes["phone_number_verified"] = "true";
  }
  const password =
    request.password === undefined
      ? undefined
      : await newPassword(cognito, pool, { username: name.username }, request.password, false);
  const user: User = {
    v: 1,
    poolId: pool.id,
    username: name.username,
    key: name.key,
    sub: name.sub,
    attributes: withVerification(attributes),
    status: confirmed ? "CONFIRMED" : "UNCONFIRMED",
    enabled: true,
    createdAt: now,
    updatedAt: now,
    ...(password && { password }),
    mfa: [],
  };
  const delivery = confirmed ? undefined : verificationDelivery(pool, user);
  const code = drawCode(cognito);
  const message =
    delivery &&
    (await composeMessage(triggers, {
      pool,
      clientId: client.id,
      user,
      reason: "SignUp",
      delivery,
      code,
      ...linkOf(pool, client, request.username, delivery, code, request.endpoint),
      ...(request.clientMetadata && { clientMetadata: request.clientMetadata }),
    }));
  await store.transact(async (tx) => {
    await writeUser(tx, pool, user, undefined);
    if (!delivery || !message) return;
    const { destination, attribute } = delivery;
    await writeCode(cognito, tx, pool, user, "signUp", { code, destination, attribute, now });
    outbox.send(tx, message, now);
  });
  if (confirmed) await afterConfirmation(cognito, pool, client.id, user, "ConfirmSignUp", request.clientMetadata);
  return { user, delivery: delivery && deliveryDetails(delivery) };
}

/** What is not verified says so. */
function withVerification(attributes: Record<string, string>): Record<string, string> {
  for (const kind of ["email", "phone_number"]) {
    if (attributes[kind] !== undefined) attributes[`${kind}_verified`] ??= "false";
  }
  return attributes;
}

/** AWS: where both are to be verified, the phone number is first. */
function verificationDelivery(pool: Pool, user: User): Delivery | undefined {
  const automatic: readonly string[] = pool.settings.AutoVerifiedAttributes ?? [];
  for (const kind of ["phone_number", "email"] as const) {
    const value = user.attributes[kind];
    if (automatic.includes(kind) && value) return deliveryTo(kind, value);
  }
  return undefined;
}

export async function afterConfirmation(
  { triggers }: Pick<Cognito, "triggers">,
  pool: Pool,
  clientId: string | undefined,
  user: User,
  what: "ConfirmSignUp" | "ConfirmForgotPassword",
  clientMetadata: Metadata,
): Promise<void> {
  await triggers.call(pool, "PostConfirmation", {
    source: `PostConfirmation_${what}`,
    userName: user.username,
    clientId,
    request: { userAttributes: attributesForTriggers(user), ...(clientMetadata && { clientMetadata }) },
    response: {},
  });
}

/** Whether answers may not tell that there is no such user. */
export function hidesUsers(client: Client): boolean {
  return client.settings.PreventUserExistenceErrors === "ENABLED";
}

/** Confirm a sign-up with the code that was sent. */
export async function confirmSignUp(
  cognito: Cognito,
  request: {
    readonly pool: Pool;
    readonly client: Client;
    readonly username: string;
    readonly code: string;
    readonly forceAliasCreation: boolean;
    readonly clientMetadata?: Metadata;
    /** Of the sign-up: used up with the confirmation. */
    readonly session?: { readonly userKey: string; readonly commit: (tx: Transaction) => Promise<void> };
    readonly now: number;
  },
): Promise<User> {
  const { store, seal } = cognito;
  const { pool, client, now } = request;
  const found = await store.read((reader) => findUser(reader, pool, request.username));
  if (!found) throw hidesUsers(client) ? expiredCode() : userNotFound();
  if (request.session && request.session.userKey !== found.key) throw invalidSession();
  if (!found.enabled) throw notAuthorized("User is disabled.");
  if (found.status !== "UNCONFIRMED") {
    throw notAuthorized(`User cannot be confirmed. Current status is ${found.status}`);
  }
  const result = await store.transact(async (tx) => {
    const before = await readUser(tx, pool, found.key);
    if (!before) return { user: undefined, outcome: { outcome: "expired" } as const };
    const outcome = await takeCode(seal, tx, pool, before, "signUp", request.code, now);
    if (outcome.outcome !== "good") return { user: before, outcome };
    const { attribute, destination } = outcome.code;
    const attributes = { ...before.attributes };
    if (attribute !== undefined && attributes[attribute] === destination) attributes[`${attribute}_verified`] = "true";
    const user: User = { ...before, status: "CONFIRMED", attributes, updatedAt: now };
    if (!request.forceAliasCreation) {
      for (const [kind, value] of aliasesOf(pool, user)) {
        const owner = await tx.get<string>(inPool("alias", pool.id, kind, value));
        if (owner !== undefined && owner !== user.key) throw aliasExists(kind);
      }
    }
    await writeUser(tx, pool, user, before, true);
    await request.session?.commit(tx);
    return { user, outcome };
  });
  orRefuse(result.outcome);
  if (!result.user) throw codeMismatch();
  await afterConfirmation(cognito, pool, client.id, result.user, "ConfirmSignUp", request.clientMetadata);
  return result.user;
}

/** Send a user who has signed up another code. */
export async function resendCode(
  cognito: Cognito,
  request: {
    readonly pool: Pool;
    readonly client: Client;
    readonly username: string;
    readonly endpoint: string;
    readonly clientMetadata?: Metadata;
    readonly now: number;
  },
): Promise<CodeDeliveryDetailsType> {
  const { store } = cognito;
  const { pool, client, now } = request;
  const user = await store.read((reader) => findUser(reader, pool, request.username));
  if (!user) {
    if (!hidesUsers(client)) throw userNotFound();
    return simulateCode(cognito, pool, request.username, "signUp", now);
  }
  if (user.status !== "UNCONFIRMED") throw invalidParameter("User is already confirmed.");
  const delivery = verificationDelivery(pool, user);
  if (!delivery) {
    throw invalidParameter("Cannot resend codes. Auto verification not turned on.");
  }
  await sendCode(cognito, {
    pool,
    clientId: client.id,
    user,
    reason: "ResendCode",
    purpose: "signUp",
    delivery,
    linkFor: (code) => linkOf(pool, client, request.username, delivery, code, request.endpoint),
    clientMetadata: request.clientMetadata,
    now,
  });
  return deliveryDetails(delivery);
}

/** As if a code were sent: written down and counted as one is, so that it takes as long, and is refused as often. */
export async function simulateCode(
  cognito: Pick<Cognito, "store" | "seal" | "ids">,
  pool: Pool,
  username: string,
  purpose: "signUp" | "reset",
  now: number,
): Promise<CodeDeliveryDetailsType> {
  const sent = { code: drawCode(cognito), destination: "", now };
  await cognito.store.transact((tx) => writeCode(cognito, tx, pool, { key: nameKey(pool, username) }, purpose, sent));
  return simulatedDelivery(pool, username);
}

/** For who does not exist, and must not be told apart from who does. */
export function simulatedDelivery(pool: Pool, username: string): CodeDeliveryDetailsType {
  const isPhone = /^\+\d+$/.test(username) || (pool.settings.AutoVerifiedAttributes ?? []).includes("phone_number");
  return isPhone && !username.includes("@")
    ? { Destination: "+*******0000", DeliveryMedium: "SMS", AttributeName: "phone_number" }
    : {
        Destination: `${username.slice(0, 1)}***@${(username.split("@")[1] ?? "e").slice(0, 1)}***`,
        DeliveryMedium: "EMAIL",
        AttributeName: "email",
      };
}

/** Draw a code, remember it and send it. */
export async function sendCode(
  cognito: Cognito,
  about: {
    readonly pool: Pool;
    readonly clientId: string | undefined;
    readonly user: User;
    readonly reason: MessageReason;
    readonly purpose: "signUp" | "reset" | "email" | "phone_number";
    readonly delivery: Delivery;
    /** An address that the code can be told at, where the pool sends one instead. */
    readonly linkFor?: (code: string) => { readonly link?: string };
    readonly clientMetadata: Metadata;
    readonly now: number;
  },
): Promise<void> {
  const { pool, user, purpose, delivery, now } = about;
  const code = drawCode(cognito);
  const message = await composeMessage(cognito.triggers, {
    pool,
    clientId: about.clientId,
    user,
    reason: about.reason,
    delivery,
    code,
    ...about.linkFor?.(code),
    ...(about.clientMetadata && { clientMetadata: about.clientMetadata }),
  });
  await cognito.store.transact(async (tx) => {
    const { destination, attribute } = delivery;
    await writeCode(cognito, tx, pool, user, purpose, { code, destination, attribute, now });
    cognito.outbox.send(tx, message, now);
  });
}
