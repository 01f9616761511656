import type { Call } from "../../wire/service.ts";
import type { IamPort } from "../iam/port.ts";
import { accessDenied } from "./errors.ts";

interface Shown {
  readonly SerialNumber?: string | undefined;
  readonly TokenCode?: string | undefined;
}

/** Codes of MFA devices that calls carry. A code counts once, so each call's is checked once. */
export function createMfaCheck(iam: Pick<IamPort, "takeMfaCode">) {
  const shown = new WeakMap<Call, number>();
  return {
    /** When the caller showed a code, epoch milliseconds; undefined when it shows none. Throws where it is wrong. */
    async check(input: Shown, call: Call): Promise<number | undefined> {
      const { SerialNumber: serialNumber, TokenCode: code } = input;
      const { principal } = call;
      if (serialNumber === undefined && code === undefined) {
        return "mfaAt" in principal ? principal.mfaAt : undefined;
      }
      if (serialNumber === undefined || code === undefined) {
        throw accessDenied(
          "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.",
        );
      }
      const isRight =
        principal.type === "user" &&
        (await iam.takeMfaCode({ account: principal.account, userId: principal.userId, serialNumber, code }));
      if (!isRight) throw accessDenied("MultiFactorAuthentication failed with invalid MFA one time pass code. ");
      shown.set(call, call.now);
      return call.now;
    },
    /** What `check` has found for this call. */
    shownAt(call: Call): number | undefined {
      return shown.get(call) ?? ("mfaAt" in call.principal ? call.principal.mfaAt : undefined);
    },
  };
}

/** Condition keys of a call that carries a code. */
export function mfaContext(mfaAt: number | undefined, now: number): Record<string, readonly string[]> {
  if (mfaAt === undefined) return {};
  return {
    "aws:MultiFactorAuthPresent": ["true"],
    "aws:MultiFactorAuthAge": [String(Math.max(0, Math.floor((now - mfaAt) / 1000)))],
  };
}
