import type { Seal } from "../../../access/server-keys.ts";

/** What a page must remember until its form comes back: sealed into the form, so that nothing is kept for whoever goes away. */
export interface Step {
  readonly poolId: string;
  readonly clientId: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  readonly name: string;
  /** The session of the API's challenge. */
  readonly session: string | undefined;
  readonly username: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly available: readonly string[];
}

const kind = "hostedStep";

export function sealStep(seal: Seal, step: Step): string {
  return Buffer.from(seal.seal(Buffer.from(JSON.stringify([kind, step])))).toString("base64url");
}

/** Undefined for what was not made here for this pool and client, or is too old. */
export function openStep(
  seal: Seal,
  text: string | undefined,
  place: { readonly poolId: string; readonly clientId: string; readonly now: number },
): Step | undefined {
  const opened = text === undefined ? undefined : seal.open(Buffer.from(text, "base64url"));
  if (opened === undefined) return undefined;
  // Sealed by us, so it has the shape that sealStep gave it, if it is one at all.
  const [is, step]: [unknown, Step] = JSON.parse(Buffer.from(opened).toString("utf8"));
  if (is !== kind || step.poolId !== place.poolId || step.clientId !== place.clientId) return undefined;
  return step.expiresAt > place.now ? step : undefined;
}
