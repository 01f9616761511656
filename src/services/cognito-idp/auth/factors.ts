import type { MfaKind, Pool, User } from "../model.ts";

/** Second factors that a pool has switched on. */
export function factorsOf(pool: Pool): readonly MfaKind[] {
  const { sms, softwareToken, email } = pool.mfa;
  return [
    ...(sms ? (["SMS_MFA"] as const) : []),
    ...(softwareToken ? (["SOFTWARE_TOKEN_MFA"] as const) : []),
    ...(email ? (["EMAIL_OTP"] as const) : []),
  ];
}

/** Whether a passkey may be both factors in a pool: whoever uses it is verified by the device. */
export function passkeysAreTwoFactors(pool: Pool): boolean {
  return pool.mfa.webAuthn?.FactorConfiguration === "MULTI_FACTOR_WITH_USER_VERIFICATION";
}

/** Whether it is for this user, who may switch that off. Source: API reference, WebAuthnMfaSettingsType. */
export function passkeyIsTwoFactors(pool: Pool, user: User): boolean {
  return passkeysAreTwoFactors(pool) && user.webAuthnMfa !== false;
}

export interface MfaNeed {
  /** What the user may be asked for; empty: nothing. */
  readonly choices: readonly MfaKind[];
  /** The user has none, and must set one up: what can be. */
  readonly setUp?: readonly MfaKind[];
}

/**
 * Which second factor a sign-in needs. Source: developer guide, "Adding MFA to a user pool": where it is optional, those of users who
 * have chosen some; where it is required, a code by text message or email to who has a number or address, or setting one up.
 */
export function mfaNeedOf(pool: Pool, user: User): MfaNeed {
  if (pool.mfa.configuration === "OFF") return { choices: [] };
  const on = factorsOf(pool);
  const usable = (kind: MfaKind) =>
    on.includes(kind) &&
    (kind === "SOFTWARE_TOKEN_MFA"
      ? user.totp !== undefined
      : (user.attributes[kind === "SMS_MFA" ? "phone_number" : "email"] ?? "") !== "");
  const chosen = user.mfa.filter(usable);
  if (chosen.length > 0) {
    const preferred = chosen.find((kind) => kind === user.preferredMfa);
    return { choices: preferred ? [preferred] : chosen };
  }
  if (user.mfaOptions?.some(({ DeliveryMedium }) => DeliveryMedium === "SMS") && usable("SMS_MFA")) {
    return { choices: ["SMS_MFA"] };
  }
  if (pool.mfa.configuration !== "ON") return { choices: [] };
  const automatic = (["SMS_MFA", "EMAIL_OTP"] as const).filter(usable);
  if (automatic.length > 0) return { choices: automatic };
  return { choices: [], setUp: on };
}
