import type { OperationsOf } from "../../../wire/service.ts";
import { failedAttempt, forgetFailures, guardAttempt } from "../auth/attempts.ts";
import type { Cognito } from "../core.ts";
import { incorrectPassword, invalidParameter, limitExceeded, userNotFound } from "../errors.ts";
import { inPool, type User } from "../model.ts";
import type { Sdk } from "../needs.ts";
import { deliveryDetails, deliveryTo } from "../outbox/compose.ts";
import { checkPassword, isPassword, newPassword } from "../passwords/passwords.ts";
import { toAttributes } from "../schema.ts";
import { mayRead } from "../tokens/claims.ts";
import { callerOf } from "../tokens/verify.ts";
import { orRefuse, takeCode } from "../users/codes.ts";
import { describeAttributes, describeMfa } from "../users/describe.ts";
import { sendCode } from "../users/sign-up.ts";
import { deleteAttributes, updateAttributes, type Verifiable } from "../users/update-attributes.ts";
import { deleteUser, readUser, writeUser } from "../users/users.ts";
import { unsigned } from "./access.ts";
import { signOut } from "./admin-users.ts";

/** What users who are signed in do with the own account: by an access token. */
export function ownUserOperations(cognito: Cognito) {
  const { store, seal } = cognito;

  return {
    GetUser: {
      authorize: unsigned,
      async run(input, call) {
        const { user, client } = await callerOf(cognito, input.AccessToken, call.now);
        return {
          Username: user.username,
          UserAttributes: describeAttributes(user, (name) => mayRead(client, name) && !name.startsWith("dev:")),
          ...describeMfa(user),
        };
      },
    },

    UpdateUserAttributes: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, client, user } = await callerOf(cognito, input.AccessToken, call.now);
        const sent = await updateAttributes(cognito, {
          pool,
          user,
          attributes: toAttributes(input.UserAttributes),
          writer: { by: "client", client },
          clientMetadata: input.ClientMetadata,
          now: call.now,
        });
        return { CodeDeliveryDetailsList: [...sent] };
      },
    },

    DeleteUserAttributes: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, client, user } = await callerOf(cognito, input.AccessToken, call.now);
        const names = input.UserAttributeNames ?? [];
        await deleteAttributes(cognito, { pool, user, names, writer: { by: "client", client }, now: call.now });
        return {};
      },
    },

    DeleteUser: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, user } = await callerOf(cognito, input.AccessToken, call.now);
        await store.transact(async (tx) => {
          const current = await readUser(tx, pool, user.key);
          if (current) await deleteUser(tx, pool, current);
        });
        return {};
      },
    },

    GetUserAttributeVerificationCode: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, client, user } = await callerOf(cognito, input.AccessToken, call.now);
        const kind = toVerifiable(input.AttributeName);
        const waiting = await store.read((reader) => reader.get<string>(inPool("pending", pool.id, user.key, kind)));
        const destination = waiting ?? user.attributes[kind];
        if (!destination) throw invalidParameter(`User does not have attribute ${kind}`);
        const delivery = deliveryTo(kind, destination);
        await sendCode(cognito, {
          pool,
          clientId: client.id,
          user,
          reason: "VerifyUserAttribute",
          purpose: kind,
          delivery,
          clientMetadata: input.ClientMetadata,
          now: call.now,
        });
        return { CodeDeliveryDetails: deliveryDetails(delivery) };
      },
    },

    VerifyUserAttribute: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, user } = await callerOf(cognito, input.AccessToken, call.now);
        const kind = toVerifiable(input.AttributeName);
        const outcome = await store.transact(async (tx) => {
          const before = await readUser(tx, pool, user.key);
          if (!before) throw userNotFound();
          const outcome = await takeCode(seal, tx, pool, before, kind, input.Code ?? "", call.now);
          if (outcome.outcome !== "good") return outcome;
          const { destination } = outcome.code;
          const pendingKey = inPool("pending", pool.id, user.key, kind);
          const waiting = await tx.get<string>(pendingKey);
          // The code is for the value that it was sent to, and for no other that the user has set since.
          if (destination !== (waiting ?? before.attributes[kind])) return { outcome: "expired" } as const;
          tx.delete(pendingKey);
          const attributes = { ...before.attributes, [kind]: destination, [`${kind}_verified`]: "true" };
          await writeUser(tx, pool, { ...before, attributes, updatedAt: call.now }, before);
          return outcome;
        });
        orRefuse(outcome);
        return {};
      },
    },

    ChangePassword: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, user: found } = await callerOf(cognito, input.AccessToken, call.now);
        checkPassword(pool, input.ProposedPassword ?? "");
        if (found.password) {
          await guardAttempt(cognito, pool, found.key, "change", call.now, limitExceeded);
          const isRight = await isPassword(cognito, pool, found, input.PreviousPassword ?? "");
          if (!isRight) {
            await failedAttempt(cognito, pool, found.key, "change", call.now);
            throw incorrectPassword();
          }
          await forgetFailures(cognito, pool, found.key, "change");
        } else if (input.PreviousPassword !== undefined) throw incorrectPassword();
        const password = await newPassword(cognito, pool, found, input.ProposedPassword ?? "", true);
        await store.transact(async (tx) => {
          const before = await readUser(tx, pool, found.key);
          if (!before) throw userNotFound();
          const user: User = { ...before, password, updatedAt: call.now };
          await writeUser(tx, pool, user, before);
        });
        return {};
      },
    },

    GlobalSignOut: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, user } = await callerOf(cognito, input.AccessToken, call.now);
        await signOut(cognito, pool, user.key, call.now);
        return {};
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function toVerifiable(name: string | undefined): Verifiable {
  if (name === "email" || name === "phone_number") return name;
  throw invalidParameter(`Invalid attribute name ${name}: only email and phone_number can be verified`);
}
