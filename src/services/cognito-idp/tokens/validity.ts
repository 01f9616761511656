import type { Client } from "../model.ts";

const unitMs = { seconds: 1000, minutes: 60_000, hours: 3_600_000, days: 86_400_000 } as const;

export interface TokenLifetimes {
  readonly accessMs: number;
  readonly idMs: number;
  readonly refreshMs: number;
}

/** How long a client's tokens live. AWS: in hours, and days for refresh tokens, unless units are given; 0 is the default. */
export function lifetimesOf({ settings }: Pick<Client, "settings">): TokenLifetimes {
  const units = settings.TokenValidityUnits ?? {};
  const of = (value: number | undefined, unit: keyof typeof unitMs, otherwise: number) =>
    value === undefined || value === 0 ? otherwise : value * unitMs[unit];
  return {
    accessMs: of(settings.AccessTokenValidity, units.AccessToken ?? "hours", unitMs.hours),
    idMs: of(settings.IdTokenValidity, units.IdToken ?? "hours", unitMs.hours),
    refreshMs: of(settings.RefreshTokenValidity, units.RefreshToken ?? "days", 30 * unitMs.days),
  };
}
