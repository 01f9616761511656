import type {
  EmailMfaSettingsType,
  SMSMfaSettingsType,
  SoftwareTokenMfaSettingsType,
  WebAuthnMfaSettingsType,
} from "@aws-sdk/client-cognito-identity-provider";
import type { OperationsOf } from "../../../wire/service.ts";
import { assertOpen, openChallenge, sealChallenge, useChallenge } from "../auth/challenge-session.ts";
import { firstFactorsOf } from "../auth/choice.ts";
import { factorsOf, passkeysAreTwoFactors } from "../auth/factors.ts";
import type { AuthContext, AuthVia } from "../auth/flow.ts";
import { drawSecret, openText, sealText, stepOfCode } from "../auth/totp.ts";
import { type Cognito, existingPool, existingPoolIn } from "../core.ts";
import {
  enableSoftwareToken,
  featureUnavailable,
  invalidParameter,
  invalidSession,
  softwareTokenNotFound,
  userNotFound,
} from "../errors.ts";
import { endKey, inPool, type MfaKind, type Pool, type PoolMfa, readClient, type User, writePool } from "../model.ts";
import type { Sdk } from "../needs.ts";
import { callerOf } from "../tokens/verify.ts";
import { existingUser, readUser, writeUser } from "../users/users.ts";
import { onPool, unsigned } from "./access.ts";

interface Pending {
  readonly v: 1;
  readonly secret: Uint8Array;
  readonly expiresAt: number;
}

/** Second factors, of pools and of users. */
export function mfaOperations(cognito: Cognito) {
  const { store, seal, ids } = cognito;
  const authorize = onPool(cognito);

  /** Who sets up an app: who is signed in, or who must, to sign in. */
  const holderOf = async (
    input: { readonly AccessToken?: string | undefined; readonly Session?: string | undefined },
    call: { readonly now: number; readonly endpoint: string },
  ) => {
    if (input.AccessToken !== undefined) {
      const { pool, user } = await callerOf(cognito, input.AccessToken, call.now);
      return { pool, user, challenge: undefined, context: undefined };
    }
    if (input.Session === undefined) throw invalidParameter("Either AccessToken or Session is required.");
    const peeked = peek(cognito, input.Session);
    const client = await store.read((reader) => readClient(reader, peeked.clientId));
    const pool = await existingPool(cognito, peeked.poolId);
    if (!client) throw invalidSession();
    const context: AuthContext = { pool, client, via: peeked.via, endpoint: call.endpoint, now: call.now };
    const challenge = openChallenge(cognito, context, input.Session, ["MFA_SETUP"]);
    await assertOpen(cognito, challenge);
    const user = await store.read((reader) => readUser(reader, pool, challenge.progress.userKey));
    if (!user) throw userNotFound();
    return { pool, user, challenge, context };
  };

  const change = (pool: Pool, key: string, how: (user: User) => User): Promise<void> =>
    store.transact(async (tx) => {
      const before = await readUser(tx, pool, key);
      if (!before) throw userNotFound();
      await writeUser(tx, pool, how(before), before);
    });

  return {
    AssociateSoftwareToken: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, user, challenge, context } = await holderOf(input, call);
        if (!pool.mfa.softwareToken) throw softwareTokenNotFound();
        const secret = drawSecret(ids);
        const key = inPool("pending", pool.id, user.key, "totp");
        const expiresAt = call.now + 3_600_000;
        const pending: Pending = { v: 1, secret: sealText(seal, secret), expiresAt };
        await store.transact(async (tx) => {
          if (challenge) await useChallenge(tx, challenge);
          tx.set(key, pending);
          tx.set(endKey(expiresAt, key), 1);
        });
        return {
          SecretCode: secret,
          ...(challenge && { Session: sealChallenge(cognito, context, "MFA_SETUP", challenge.progress, {}) }),
        };
      },
    },

    VerifySoftwareToken: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, user, challenge, context } = await holderOf(input, call);
        if (!pool.mfa.softwareToken) throw softwareTokenNotFound();
        const key = inPool("pending", pool.id, user.key, "totp");
        const pending = await store.read((reader) => reader.get<Pending>(key));
        const secret = pending && pending.expiresAt > call.now ? openText(seal, pending.secret) : undefined;
        if (!pending || secret === undefined) throw softwareTokenNotFound();
        const step = stepOfCode(secret, input.UserCode ?? "", call.now, 0);
        if (step === undefined) throw enableSoftwareToken();
        await store.transact(async (tx) => {
          if (challenge) await useChallenge(tx, challenge);
          const before = await readUser(tx, pool, user.key);
          if (!before) throw userNotFound();
          tx.delete(key);
          const name = input.FriendlyDeviceName;
          const totp = { secret: pending.secret, lastStep: step, ...(name !== undefined && { name }) };
          // AWS: who sets it up to sign in uses it from now on; who is signed in says so with SetUserMFAPreference.
          const mfa = challenge ? [...new Set([...before.mfa, "SOFTWARE_TOKEN_MFA" as const])] : before.mfa;
          await writeUser(tx, pool, { ...before, totp, mfa, updatedAt: call.now }, before);
        });
        return {
          Status: "SUCCESS" as const,
          ...(challenge && {
            Session: sealChallenge(cognito, context, "MFA_SETUP", { ...challenge.progress, mfaSetUp: true }, {}),
          }),
        };
      },
    },

    SetUserMFAPreference: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, user } = await callerOf(cognito, input.AccessToken, call.now);
        await change(pool, user.key, (before) => withPreference(pool, before, input, call.now));
        return {};
      },
    },

    AdminSetUserMFAPreference: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        const user = await store.read((reader) => existingUser(reader, pool, input.Username ?? ""));
        await change(pool, user.key, (before) => withPreference(pool, before, input, call.now));
        return {};
      },
    },

    AdminDeleteSoftwareToken: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        const user = await store.read((reader) => existingUser(reader, pool, input.Username ?? ""));
        await change(pool, user.key, ({ totp: _gone, ...before }) =>
          withoutFactor(before, "SOFTWARE_TOKEN_MFA", call.now),
        );
        return {};
      },
    },

    SetUserSettings: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, user } = await callerOf(cognito, input.AccessToken, call.now);
        const mfaOptions = toOptions(input.MFAOptions);
        await change(pool, user.key, (before) => ({ ...before, mfaOptions, updatedAt: call.now }));
        return {};
      },
    },

    AdminSetUserSettings: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        const user = await store.read((reader) => existingUser(reader, pool, input.Username ?? ""));
        const mfaOptions = toOptions(input.MFAOptions);
        await change(pool, user.key, (before) => ({ ...before, mfaOptions, updatedAt: call.now }));
        return {};
      },
    },

    GetUserAuthFactors: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, user } = await callerOf(cognito, input.AccessToken, call.now);
        return describeFactors(pool, user);
      },
    },

    AdminGetUserAuthFactors: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        const user = await store.read((reader) => existingUser(reader, pool, input.Username ?? ""));
        return describeFactors(pool, user);
      },
    },

    GetUserPoolMfaConfig: {
      authorize,
      async run(input, call) {
        return describeMfa(await existingPool(cognito, input.UserPoolId, call));
      },
    },

    SetUserPoolMfaConfig: {
      authorize,
      async run(input, call) {
        await existingPool(cognito, input.UserPoolId, call);
        const pool = await store.transact(async (tx) => {
          const before = await existingPoolIn(tx, input.UserPoolId);
          const sms = input.SmsMfaConfiguration;
          const webAuthn = input.WebAuthnConfiguration;
          const mfa: PoolMfa = {
            configuration: input.MfaConfiguration ?? "OFF",
            softwareToken: input.SoftwareTokenMfaConfiguration?.Enabled ?? false,
            ...(sms && { sms }),
            ...(input.EmailMfaConfiguration && { email: input.EmailMfaConfiguration }),
            ...((webAuthn ?? before.mfa.webAuthn) && { webAuthn: webAuthn ?? before.mfa.webAuthn }),
          };
          if (before.settings.UserPoolTier === "LITE" && mfa.email) throw featureUnavailable("Email MFA");
          if (before.settings.UserPoolTier === "LITE" && mfa.webAuthn) throw featureUnavailable("Passkey sign-in");
          if (mfa.configuration !== "OFF" && factorsOf({ ...before, mfa }).length === 0) {
            throw invalidParameter("Invalid MFA configuration given, can't turn on MFA and disable all MFA factors.");
          }
          if (mfa.configuration === "OFF" && (sms || mfa.softwareToken || mfa.email)) {
            throw invalidParameter(
              "Invalid MFA configuration given, can't disable all MFAs and set a MFA configuration.",
            );
          }
          const pool: Pool = { ...before, mfa, updatedAt: call.now };
          writePool(tx, pool);
          return pool;
        });
        return describeMfa(pool);
      },
    },
  } satisfies OperationsOf<Sdk>;

  async function describeFactors(pool: Pool, user: User) {
    const factors = await firstFactorsOf(cognito, pool, user);
    const named = factors.filter(
      (factor): factor is "PASSWORD" | "EMAIL_OTP" | "SMS_OTP" | "WEB_AUTHN" => factor !== "PASSWORD_SRP",
    );
    return {
      Username: user.username,
      ...(user.preferredMfa !== undefined && { PreferredMfaSetting: user.preferredMfa }),
      ...(user.mfa.length > 0 && { UserMFASettingList: [...user.mfa] }),
      ConfiguredUserAuthFactors: named,
    };
  }
}

/** Whose session it says it is; nothing of it is trusted until it is opened for them. */
function peek({ seal }: Pick<Cognito, "seal">, session: string) {
  const opened = openText(seal, Buffer.from(session, "base64url"));
  if (opened === undefined) throw invalidSession();
  const value: unknown = JSON.parse(opened);
  if (
    typeof value !== "object" ||
    value === null ||
    !("poolId" in value) ||
    !("clientId" in value) ||
    !("via" in value)
  ) {
    throw invalidSession();
  }
  const via: AuthVia = value.via === "admin" || value.via === "hosted" ? value.via : "api";
  return { poolId: String(value.poolId), clientId: String(value.clientId), via };
}

interface Preferences {
  readonly SMSMfaSettings?: SMSMfaSettingsType | undefined;
  readonly SoftwareTokenMfaSettings?: SoftwareTokenMfaSettingsType | undefined;
  readonly EmailMfaSettings?: EmailMfaSettingsType | undefined;
  readonly WebAuthnMfaSettings?: WebAuthnMfaSettingsType | undefined;
}

function withPreference(pool: Pool, user: User, given: Preferences, now: number): User {
  const asked = [
    ["SMS_MFA", given.SMSMfaSettings],
    ["SOFTWARE_TOKEN_MFA", given.SoftwareTokenMfaSettings],
    ["EMAIL_OTP", given.EmailMfaSettings],
  ] as const;
  if (asked.filter(([, settings]) => settings?.PreferredMfa === true).length > 1) {
    throw invalidParameter("SMS and Software Token MFA cannot both be preferred.");
  }
  const mfa = new Set<MfaKind>(user.mfa);
  let preferred = user.preferredMfa;
  for (const [kind, settings] of asked) {
    if (!settings) continue;
    if (settings.Enabled === true) {
      if (kind === "SOFTWARE_TOKEN_MFA" && !user.totp) {
        throw invalidParameter("User has not verified software token mfa");
      }
      if (kind === "SMS_MFA" && !user.attributes["phone_number"]) {
        throw invalidParameter("User does not have delivery config set to turn on SMS_MFA");
      }
      if (kind === "EMAIL_OTP" && !user.attributes["email"]) {
        throw invalidParameter("User does not have delivery config set to turn on EMAIL_OTP");
      }
      mfa.add(kind);
    } else if (settings.Enabled === false) {
      mfa.delete(kind);
      if (preferred === kind) preferred = undefined;
    }
    if (settings.PreferredMfa === true) {
      if (!mfa.has(kind)) throw invalidParameter("A factor that is not enabled cannot be preferred.");
      preferred = kind;
    } else if (settings.PreferredMfa === false && preferred === kind) preferred = undefined;
  }
  const webAuthnMfa = given.WebAuthnMfaSettings?.Enabled ?? user.webAuthnMfa;
  if (given.WebAuthnMfaSettings?.Enabled === true && !passkeysAreTwoFactors(pool)) {
    throw invalidParameter("Passkey MFA is not enabled for the user pool.");
  }
  // AWS: who loses the passkey must have another way in.
  if (webAuthnMfa === true && mfa.size === 0) {
    throw invalidParameter("Passkey MFA needs another MFA method that is enabled for the user.");
  }
  const { preferredMfa: _before, ...kept } = user;
  return {
    ...kept,
    mfa: [...mfa],
    ...(preferred !== undefined && { preferredMfa: preferred }),
    ...(webAuthnMfa !== undefined && { webAuthnMfa }),
    updatedAt: now,
  };
}

function withoutFactor(user: User, kind: MfaKind, now: number): User {
  const { preferredMfa, ...kept } = user;
  return {
    ...kept,
    mfa: user.mfa.filter((each) => each !== kind),
    ...(preferredMfa !== undefined && preferredMfa !== kind && { preferredMfa }),
    updatedAt: now,
  };
}

type Options = readonly { readonly DeliveryMedium?: string | undefined; readonly AttributeName?: string | undefined }[];

function toOptions(given: Options | undefined): NonNullable<User["mfaOptions"]> {
  return (given ?? []).map(({ DeliveryMedium: medium, AttributeName: name }) => {
    // AWS: these two operations can set up text messages only.
    if (medium !== "SMS" || name !== "phone_number")
      throw invalidParameter("MFAOptions can be SMS to phone_number only.");
    return { DeliveryMedium: medium, AttributeName: name };
  });
}

function describeMfa({ mfa }: Pool) {
  return {
    ...(mfa.sms && { SmsMfaConfiguration: mfa.sms }),
    ...(mfa.softwareToken && { SoftwareTokenMfaConfiguration: { Enabled: true } }),
    ...(mfa.email && { EmailMfaConfiguration: mfa.email }),
    MfaConfiguration: mfa.configuration,
    ...(mfa.webAuthn && { WebAuthnConfiguration: mfa.webAuthn }),
  };
}
