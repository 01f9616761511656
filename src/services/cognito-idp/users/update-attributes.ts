import type { CodeDeliveryDetailsType } from "@aws-sdk/client-cognito-identity-provider";
import type { Transaction } from "../../../kernel/store/store.ts";
import type { Cognito } from "../core.ts";
import { aliasExists, userNotFound } from "../errors.ts";
import { inPool, type Pool, type User } from "../model.ts";
import { deliveryDetails, deliveryTo } from "../outbox/compose.ts";
import { checkAttributes, type Writer } from "../schema.ts";
import { sendCode } from "./sign-up.ts";
import { ownerOfAlias, readUser, writeUser } from "./users.ts";

export type Verifiable = "email" | "phone_number";
const verifiable = ["email", "phone_number"] as const;

/**
 * Change a user's attributes. A new email address or phone number is not verified; where the pool verifies it by itself a code is sent,
 * and where the pool says so the new value waits until then.
 *
 * @throws InvalidParameterException, NotAuthorizedException, AliasExistsException
 */
export async function updateAttributes(
  cognito: Cognito,
  request: {
    readonly pool: Pool;
    readonly user: User;
    readonly attributes: Readonly<Record<string, string>>;
    readonly writer: Writer;
    readonly clientMetadata: Readonly<Record<string, string>> | undefined;
    readonly now: number;
  },
): Promise<readonly CodeDeliveryDetailsType[]> {
  const { pool, user, attributes, writer, now } = request;
  checkAttributes(pool, attributes, user.attributes, writer);
  const waiting: readonly string[] =
    pool.settings.UserAttributeUpdateSettings?.AttributesRequireVerificationBeforeUpdate ?? [];
  const automatic: readonly string[] = pool.settings.AutoVerifiedAttributes ?? [];
  const changed = verifiable.filter(
    (kind) =>
      attributes[kind] !== undefined &&
      attributes[kind] !== user.attributes[kind] &&
      attributes[`${kind}_verified`] !== "true",
  );
  const pending = changed.filter((kind) => waiting.includes(kind) && attributes[kind] !== "");

  await cognito.store.transact(async (tx) => {
    const before = await readUser(tx, pool, user.key);
    if (!before) throw userNotFound();
    const next: Record<string, string> = { ...before.attributes };
    for (const [name, value] of Object.entries(attributes)) {
      if (pending.some((kind) => kind === name)) continue;
      // AWS: an attribute that is emptied is gone.
      if (value === "") delete next[name];
      else next[name] = value;
    }
    for (const kind of changed) {
      if (pending.includes(kind)) {
        await assertFree(tx, pool, before, kind, attributes[kind] ?? "");
        tx.set(inPool("pending", pool.id, user.key, kind), attributes[kind]);
      } else if (next[kind] === undefined) delete next[`${kind}_verified`];
      else next[`${kind}_verified`] = "false";
    }
    await writeUser(tx, pool, { ...before, attributes: next, updatedAt: now }, before);
  });

  const details: CodeDeliveryDetailsType[] = [];
  for (const kind of changed) {
    const value = attributes[kind];
    if (!value || !(automatic.includes(kind) || pending.includes(kind))) continue;
    const delivery = deliveryTo(kind, value);
    await sendCode(cognito, {
      pool,
      clientId: writer.by === "client" ? writer.client.id : undefined,
      user: { ...user, attributes: { ...user.attributes, ...attributes } },
      reason: "UpdateUserAttribute",
      purpose: kind,
      delivery,
      clientMetadata: request.clientMetadata,
      now,
    });
    details.push(deliveryDetails(delivery));
  }
  return details;
}

async function assertFree(tx: Transaction, pool: Pool, user: User, kind: Verifiable, value: string): Promise<void> {
  const owner = await ownerOfAlias(tx, pool, kind, value);
  if (owner !== undefined && owner !== user.key) throw aliasExists(kind);
}

/** Remove attributes. @throws InvalidParameterException for one that is required or cannot change */
export async function deleteAttributes(
  cognito: Pick<Cognito, "store">,
  request: {
    readonly pool: Pool;
    readonly user: User;
    readonly names: readonly string[];
    readonly writer: Writer;
    readonly now: number;
  },
): Promise<void> {
  const { pool, user, names, writer, now } = request;
  const emptied = Object.fromEntries(names.map((name) => [name, ""]));
  checkAttributes(pool, emptied, user.attributes, writer);
  await cognito.store.transact(async (tx) => {
    const before = await readUser(tx, pool, user.key);
    if (!before) throw userNotFound();
    const attributes = { ...before.attributes };
    for (const name of names) {
      delete attributes[name];
      if (name === "email" || name === "phone_number") delete attributes[`${name}_verified`];
    }
    await writeUser(tx, pool, { ...before, attributes, updatedAt: now }, before);
  });
}
