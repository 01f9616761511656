import type { Cognito } from "../core.ts";
import { invalidParameter } from "../errors.ts";
import { endKey, type MfaKind, root, type User } from "../model.ts";
import { composeMessage, deliveryTo } from "../outbox/compose.ts";
import { masked } from "../rules.ts";
import { drawCode } from "../users/codes.ts";
import { simulatedDelivery } from "../users/sign-up.ts";
import { sealChallenge, validityMsOf } from "./challenge-session.ts";
import type { AuthContext, AuthOutcome } from "./flow.ts";
import { ghostOf } from "./ghosts.ts";
import type { Progress } from "./progress.ts";

/** Ask for a second factor: the code of an authenticator app, or one that is sent now. */
export async function mfaChallenge(
  cognito: Cognito,
  context: AuthContext,
  user: User,
  progress: Progress,
  kind: MfaKind,
): Promise<AuthOutcome> {
  if (kind === "SOFTWARE_TOKEN_MFA") {
    return {
      kind: "challenge",
      name: kind,
      session: sealChallenge(cognito, context, kind, progress, {}),
      parameters: {
        USER_ID_FOR_SRP: user.username,
        ...(user.totp?.name !== undefined && { FRIENDLY_DEVICE_NAME: user.totp.name }),
      },
    };
  }
  return codeChallenge(cognito, context, user, progress, kind, "second");
}

/** Send a one-time code, as a second factor (SMS_MFA, EMAIL_OTP) or as the first (SMS_OTP, EMAIL_OTP). */
export async function codeChallenge(
  cognito: Cognito,
  context: AuthContext,
  user: User,
  progress: Progress,
  name: "SMS_MFA" | "SMS_OTP" | "EMAIL_OTP",
  as: "first" | "second",
): Promise<AuthOutcome> {
  const { pool, now } = context;
  const attribute = name === "EMAIL_OTP" ? "email" : "phone_number";
  const destination = user.attributes[attribute];
  if (!destination) throw invalidParameter(`User does not have ${attribute} to receive a code.`);
  const delivery = deliveryTo(attribute, destination);
  // AWS: one-time passwords by email have eight digits, all other codes six.
  const isLong = name === "EMAIL_OTP" && as === "first";
  const code = isLong ? cognito.ids.random(8, "0123456789") : drawCode(cognito);
  const message = await composeMessage(cognito.triggers, {
    pool,
    clientId: context.client.id,
    user,
    reason: "Authentication",
    delivery,
    code,
    ...(context.clientMetadata && { clientMetadata: context.clientMetadata }),
  });
  await cognito.store.transact(async (tx) => cognito.outbox.send(tx, message, now));
  return {
    kind: "challenge",
    name,
    session: sealChallenge(cognito, context, name, progress, { code }),
    parameters: {
      CODE_DELIVERY_DELIVERY_MEDIUM: delivery.medium,
      CODE_DELIVERY_DESTINATION: masked(destination),
      USER_ID_FOR_SRP: user.username,
    },
  };
}

/** The same for nobody, where that is not told: a code that is sent to nobody, so that none is right. */
export async function ghostCodeChallenge(
  cognito: Cognito,
  context: AuthContext,
  name: string,
  progress: Progress,
  factor: "SMS_OTP" | "EMAIL_OTP",
): Promise<AuthOutcome> {
  const { pool, now } = context;
  const details = simulatedDelivery(pool, name);
  // A message is written down: so is something here that is swept away again.
  const nothing = endKey(now + validityMsOf(context), [root, "auth", cognito.ids.uuid()]);
  await cognito.store.transact(async (tx) => tx.set(nothing, 1));
  const { username } = await ghostOf(cognito, pool, name, now);
  return {
    kind: "challenge",
    name: factor,
    session: sealChallenge(cognito, context, factor, progress, { code: cognito.ids.uuid() }),
    parameters: {
      CODE_DELIVERY_DELIVERY_MEDIUM: factor === "EMAIL_OTP" ? "EMAIL" : "SMS",
      CODE_DELIVERY_DESTINATION: details.Destination ?? "",
      USER_ID_FOR_SRP: username,
    },
  };
}
