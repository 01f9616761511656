import type { OperationsOf } from "../../../wire/service.ts";
import { type Cognito, existingPool } from "../core.ts";
import { invalidParameter, notAuthorized, userNotFound } from "../errors.ts";
import { endKey, inPool, type Pool, type Session, type User } from "../model.ts";
import type { Sdk } from "../needs.ts";
import { checkPassword, newPassword } from "../passwords/passwords.ts";
import { toAttributes } from "../schema.ts";
import { adminCreateUser } from "../users/admin-create.ts";
import { describeAttributes, describeMfa, describeUser } from "../users/describe.ts";
import { recoveryDelivery } from "../users/reset.ts";
import { afterConfirmation, sendCode } from "../users/sign-up.ts";
import { deleteAttributes, updateAttributes } from "../users/update-attributes.ts";
import { deleteUser, existingUser, readUser, writeUser } from "../users/users.ts";
import type { Transaction } from "../../../kernel/store/store.ts";
import { onPool } from "./access.ts";

interface OfUser {
  readonly UserPoolId: string | undefined;
  readonly Username: string | undefined;
}

/** What administrators do with users. */
export function adminUserOperations(cognito: Cognito) {
  const { store } = cognito;
  const authorize = onPool(cognito);

  const find = async (input: OfUser, call: { readonly account: string; readonly region: string }) => {
    const pool = await existingPool(cognito, input.UserPoolId, call);
    const user = await store.read((reader) => existingUser(reader, pool, input.Username ?? ""));
    return { pool, user };
  };

  /** Change the user as it is when the transaction runs. */
  const change = async (pool: Pool, key: string, how: (user: User) => User): Promise<User> =>
    store.transact(async (tx) => {
      const before = await readUser(tx, pool, key);
      if (!before) throw userNotFound();
      const user = how(before);
      await writeUser(tx, pool, user, before);
      return user;
    });

  return {
    AdminCreateUser: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        const user = await adminCreateUser(cognito, {
          pool,
          username: input.Username ?? "",
          attributes: input.UserAttributes,
          validationData: input.ValidationData,
          temporaryPassword: input.TemporaryPassword,
          forceAliasCreation: input.ForceAliasCreation ?? false,
          messageAction: input.MessageAction,
          mediums: input.DesiredDeliveryMediums,
          clientMetadata: input.ClientMetadata,
          now: call.now,
        });
        return { User: describeUser(user) };
      },
    },

    AdminGetUser: {
      authorize,
      async run(input, call) {
        const { user } = await find(input, call);
        return {
          Username: user.username,
          UserAttributes: describeAttributes(user),
          UserCreateDate: new Date(user.createdAt),
          UserLastModifiedDate: new Date(user.updatedAt),
          Enabled: user.enabled,
          UserStatus: user.status,
          ...describeMfa(user),
        };
      },
    },

    AdminConfirmSignUp: {
      authorize,
      async run(input, call) {
        const { pool, user: found } = await find(input, call);
        const user = await change(pool, found.key, (before) => {
          if (before.status !== "UNCONFIRMED") {
            throw notAuthorized(`User cannot be confirmed. Current status is ${before.status}`);
          }
          return { ...before, status: "CONFIRMED", updatedAt: call.now };
        });
        await afterConfirmation(cognito, pool, undefined, user, "ConfirmSignUp", input.ClientMetadata);
        return {};
      },
    },

    AdminDeleteUser: {
      authorize,
      async run(input, call) {
        const { pool, user } = await find(input, call);
        await store.transact(async (tx) => {
          const current = await readUser(tx, pool, user.key);
          if (!current) throw userNotFound();
          await deleteUser(tx, pool, current);
        });
        return {};
      },
    },

    AdminEnableUser: {
      authorize,
      async run(input, call) {
        const { pool, user } = await find(input, call);
        await change(pool, user.key, (before) => ({ ...before, enabled: true, updatedAt: call.now }));
        return {};
      },
    },

    AdminDisableUser: {
      authorize,
      async run(input, call) {
        const { pool, user } = await find(input, call);
        // AWS: a disabled user is signed out, for good: tokens do not come back when the user is enabled again.
        await signOut(cognito, pool, user.key, call.now, (before) => ({
          ...before,
          enabled: false,
          updatedAt: call.now,
        }));
        return {};
      },
    },

    AdminUpdateUserAttributes: {
      authorize,
      async run(input, call) {
        const { pool, user } = await find(input, call);
        await updateAttributes(cognito, {
          pool,
          user,
          attributes: toAttributes(input.UserAttributes),
          writer: { by: "admin" },
          clientMetadata: input.ClientMetadata,
          now: call.now,
        });
        return {};
      },
    },

    AdminDeleteUserAttributes: {
      authorize,
      async run(input, call) {
        const { pool, user } = await find(input, call);
        const names = input.UserAttributeNames ?? [];
        await deleteAttributes(cognito, { pool, user, names, writer: { by: "admin" }, now: call.now });
        return {};
      },
    },

    AdminSetUserPassword: {
      authorize,
      async run(input, call) {
        const { pool, user: found } = await find(input, call);
        if (found.status === "EXTERNAL_PROVIDER") {
          throw invalidParameter("User is not a native user: the password cannot be set.");
        }
        checkPassword(pool, input.Password ?? "");
        const password = await newPassword(cognito, pool, found, input.Password ?? "", true);
        const days = pool.settings.Policies?.PasswordPolicy?.TemporaryPasswordValidityDays ?? 7;
        await store.transact(async (tx) => {
          const before = await readUser(tx, pool, found.key);
          if (!before) throw userNotFound();
          const { temporaryUntil: _over, ...kept } = before;
          const user: User =
            input.Permanent === true
              ? { ...kept, password, status: "CONFIRMED", updatedAt: call.now }
              : {
                  ...kept,
                  password,
                  status: "FORCE_CHANGE_PASSWORD",
                  temporaryUntil: call.now + days * 86_400_000,
                  updatedAt: call.now,
                };
          await writeUser(tx, pool, user, before);
          tx.delete(inPool("failures", pool.id, user.key, "password"));
        });
        return {};
      },
    },

    AdminResetUserPassword: {
      authorize,
      async run(input, call) {
        const { pool, user: found } = await find(input, call);
        if (found.status !== "CONFIRMED" && found.status !== "RESET_REQUIRED") {
          throw notAuthorized("User password cannot be reset in the current state.");
        }
        const delivery = recoveryDelivery(pool, found);
        if (!delivery) {
          throw invalidParameter(
            "Cannot reset password for the user as there is no registered/verified email or phone_number",
          );
        }
        const user = await change(pool, found.key, (before) => ({
          ...before,
          status: "RESET_REQUIRED",
          updatedAt: call.now,
        }));
        await sendCode(cognito, {
          pool,
          clientId: undefined,
          user,
          reason: "ForgotPassword",
          purpose: "reset",
          delivery,
          clientMetadata: input.ClientMetadata,
          now: call.now,
        });
        return {};
      },
    },

    AdminUserGlobalSignOut: {
      authorize,
      async run(input, call) {
        const { pool, user } = await find(input, call);
        await signOut(cognito, pool, user.key, call.now);
        return {};
      },
    },
  } satisfies OperationsOf<Sdk>;
}

/** End all that a user has signed in to. */
export async function signOut(
  { store }: Pick<Cognito, "store">,
  pool: Pool,
  key: string,
  now: number,
  also: (user: User) => User = (user) => user,
): Promise<void> {
  await store.transact(async (tx) => {
    const before = await readUser(tx, pool, key);
    if (!before) throw userNotFound();
    await endSessions(tx, pool, key);
    await writeUser(tx, pool, { ...also(before), signedOutAt: now }, before);
  });
}

async function endSessions(tx: Transaction, pool: Pool, userKey: string): Promise<void> {
  const sessions = await tx.range<Session>({ prefix: inPool("session", pool.id, userKey) }, { limit: 10_000 });
  for (const { key, value } of sessions) {
    tx.delete(key);
    tx.delete(endKey(value.expiresAt, key));
  }
}
