import type { Transaction } from "../../../kernel/store/store.ts";
import type { Cognito } from "../core.ts";
import { invalidParameter, notAuthorized, passwordResetRequired, userDisabled, userNotConfirmed } from "../errors.ts";
import { type Device, inPool, type MfaKind, type User } from "../model.ts";
import { schemaOf } from "../schema.ts";
import { attributesForTriggers } from "../tokens/claims.ts";
import { sealChallenge } from "./challenge-session.ts";
import { newDevice, readDevice, writeDevice } from "./devices.ts";
import { mfaNeedOf } from "./factors.ts";
import type { AuthContext, AuthOutcome } from "./flow.ts";
import { mfaChallenge } from "./mfa-challenges.ts";
import type { Progress } from "./progress.ts";

export type Commit = (tx: Transaction) => Promise<void>;

/** @throws what AWS answers when such a user signs in, with the right password or another factor */
export function assertMaySignIn(user: User, now: number): void {
  if (!user.enabled) throw userDisabled();
  if (user.status === "UNCONFIRMED") throw userNotConfirmed();
  if (user.status === "RESET_REQUIRED") throw passwordResetRequired();
  const isOver = user.temporaryUntil !== undefined && user.temporaryUntil <= now;
  if (user.status === "FORCE_CHANGE_PASSWORD" && isOver) {
    throw notAuthorized("Temporary password has expired and must be reset by an administrator.");
  }
}

/** AWS: who was imported has to set a password first, and is told so whatever was given. @throws PasswordResetRequiredException */
export function assertHasPassword(user: User | undefined): void {
  if (user?.status === "RESET_REQUIRED" && user.password === undefined) throw passwordResetRequired();
}

/**
 * Where a sign-in goes on, once a step is done: a new password, the device, a second factor, or the end.
 *
 * @param commit uses up what was answered. Where another challenge follows it is carried out here.
 */
export async function advance(
  cognito: Cognito,
  context: AuthContext,
  user: User,
  progress: Progress,
  commit: Commit,
): Promise<AuthOutcome> {
  const { pool, now } = context;
  assertMaySignIn(user, now);
  const settle = async (outcome: AuthOutcome): Promise<AuthOutcome> => {
    await cognito.store.transact(commit);
    return outcome;
  };

  if (user.status === "FORCE_CHANGE_PASSWORD" && progress.byPassword) {
    return settle(newPasswordChallenge(cognito, context, user, progress));
  }

  const device = await knownDevice(cognito, context, user, progress);
  const skipsMfa = pool.settings.DeviceConfiguration?.ChallengeRequiredOnNewDevice === true;
  if (device && skipsMfa && !progress.deviceDone) return settle(deviceChallenge(cognito, context, user, progress));

  const isTrusted = skipsMfa && progress.deviceDone === true;
  if (!progress.mfaDone && !isTrusted) {
    const { choices, setUp } = mfaNeedOf(pool, user);
    if (setUp) return settle(setUpChallenge(cognito, context, user, progress, setUp));
    const [only, ...more] = choices;
    if (only !== undefined && more.length === 0) {
      const outcome = await mfaChallenge(cognito, context, user, progress, only);
      return settle(outcome);
    }
    if (only !== undefined) return settle(selectMfaChallenge(cognito, context, user, progress, choices));
  }

  if (device && !progress.deviceDone) return settle(deviceChallenge(cognito, context, user, progress));
  return finish(cognito, context, user, progress, device, commit);
}

/** The device that the client has named, if it is a remembered one of the user's. */
async function knownDevice(
  cognito: Cognito,
  { pool }: AuthContext,
  user: User,
  { deviceKey }: Progress,
): Promise<Device | undefined> {
  if (deviceKey === undefined || !pool.settings.DeviceConfiguration) return undefined;
  const device = await cognito.store.read((reader) => readDevice(reader, pool, user, deviceKey));
  return device?.verifier && device.remembered ? device : undefined;
}

async function finish(
  cognito: Cognito,
  context: AuthContext,
  user: User,
  progress: Progress,
  device: Device | undefined,
  commit: Commit,
): Promise<AuthOutcome> {
  const { pool, client, now } = context;
  const tracked = pool.settings.DeviceConfiguration;
  const fresh =
    tracked && !device && context.via !== "hosted" ? newDevice(cognito.ids, pool, now, context.sourceIp) : undefined;
  await cognito.triggers.call(pool, "PostAuthentication", {
    source: "PostAuthentication_Authentication",
    userName: user.username,
    clientId: client.id,
    request: {
      userAttributes: attributesForTriggers(user),
      newDeviceUsed: fresh !== undefined,
      ...(context.clientMetadata && { clientMetadata: context.clientMetadata }),
    },
    response: {},
  });
  const used = device ?? fresh;
  return {
    kind: "authenticated",
    user,
    source: progress.source,
    ...(used && { deviceKey: used.key }),
    ...(fresh && { newDevice: { key: fresh.key, groupKey: fresh.groupKey } }),
    commit: async (tx) => {
      await commit(tx);
      tx.delete(inPool("failures", pool.id, user.key, "password"));
      if (fresh) await writeDevice(tx, pool, user, fresh);
      if (device) await writeDevice(tx, pool, user, { ...device, authenticatedAt: now });
    },
  };
}

function newPasswordChallenge(cognito: Cognito, context: AuthContext, user: User, progress: Progress): AuthOutcome {
  const missing = schemaOf(context.pool)
    .filter(({ Name: name = "", Required }) => Required === true && name !== "sub" && !user.attributes[name])
    .map(({ Name }) => `userAttributes.${Name}`);
  return {
    kind: "challenge",
    name: "NEW_PASSWORD_REQUIRED",
    session: sealChallenge(cognito, context, "NEW_PASSWORD_REQUIRED", progress, {}),
    parameters: {
      USER_ID_FOR_SRP: user.username,
      requiredAttributes: JSON.stringify(missing),
      userAttributes: JSON.stringify(user.attributes),
    },
  };
}

function deviceChallenge(cognito: Cognito, context: AuthContext, user: User, progress: Progress): AuthOutcome {
  return {
    kind: "challenge",
    name: "DEVICE_SRP_AUTH",
    session: sealChallenge(cognito, context, "DEVICE_SRP_AUTH", progress, {}),
    parameters: { USERNAME: user.username },
  };
}

function setUpChallenge(
  cognito: Cognito,
  context: AuthContext,
  user: User,
  progress: Progress,
  kinds: readonly MfaKind[],
): AuthOutcome {
  if (kinds.length === 0) throw invalidParameter("The user pool requires MFA, and has no factor that can be set up.");
  return {
    kind: "challenge",
    name: "MFA_SETUP",
    session: sealChallenge(cognito, context, "MFA_SETUP", progress, {}),
    parameters: { MFAS_CAN_SETUP: JSON.stringify(kinds), USER_ID_FOR_SRP: user.username },
  };
}

function selectMfaChallenge(
  cognito: Cognito,
  context: AuthContext,
  user: User,
  progress: Progress,
  kinds: readonly MfaKind[],
): AuthOutcome {
  return {
    kind: "challenge",
    name: "SELECT_MFA_TYPE",
    session: sealChallenge(cognito, context, "SELECT_MFA_TYPE", progress, {}),
    parameters: { MFAS_CAN_CHOOSE: JSON.stringify(kinds), USER_ID_FOR_SRP: user.username },
  };
}
