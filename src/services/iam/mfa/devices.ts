import type { Seal } from "../../../access/server-keys.ts";
import type { Key, Reader, Store, Transaction } from "../../../kernel/store/store.ts";
import { iamLimits } from "../limits.ts";
import { readAll } from "../model.ts";
import { findStep, stepAt, stepsAround } from "./totp.ts";

/** A virtual MFA device. Stored; dates are epoch milliseconds. */
export interface MfaDevice {
  readonly v: 1;
  readonly serialNumber: string;
  /** 64 random bytes, sealed with the server's key. */
  readonly sealedSeed: Uint8Array;
  readonly createdAt: number;
  readonly tags: Readonly<Record<string, string>>;
  /** Whose it is, once enabled. */
  readonly user?: { readonly id: string; readonly name: string };
  readonly enabledAt?: number;
  /** How far its clock is from ours, in time steps. */
  readonly drift: number;
  /** The last step whose code was taken: none counts twice. */
  readonly usedStep: number;
  readonly failures: number;
  readonly lockedUntil: number;
}

/** Outside of `iamPrefix`: a code that is shown changes no decision that is remembered. */
export function mfaPrefix(account: string): Key {
  return ["iamMfa", account, "device"];
}

function mfaKey(account: string, serialNumber: string): Key {
  return [...mfaPrefix(account), serialNumber];
}

/** By the user's id: it stays when the name changes. */
function mfaOfPrefix(account: string, userId: string): Key {
  return ["iamMfa", account, "of", userId];
}

export async function readMfaDevice(
  reader: Reader,
  account: string,
  serialNumber: string,
): Promise<MfaDevice | undefined> {
  return await reader.get<MfaDevice>(mfaKey(account, serialNumber));
}

export async function readMfaDevicesOf(reader: Reader, account: string, userId: string): Promise<MfaDevice[]> {
  const serials = await readAll<string>(reader, mfaOfPrefix(account, userId));
  const devices = await reader.getMany<MfaDevice>(serials.map((serial) => mfaKey(account, serial)));
  return devices.filter((device) => device !== undefined);
}

/** Write a device, and where it is found by its user. */
export function writeMfaDevice(tx: Transaction, account: string, device: MfaDevice, before?: MfaDevice): void {
  if (before?.user && before.user.id !== device.user?.id) {
    tx.delete([...mfaOfPrefix(account, before.user.id), device.serialNumber]);
  }
  if (device.user) tx.set([...mfaOfPrefix(account, device.user.id), device.serialNumber], device.serialNumber);
  tx.set(mfaKey(account, device.serialNumber), device);
}

export function deleteMfaDevice(tx: Transaction, account: string, device: MfaDevice): void {
  tx.delete(mfaKey(account, device.serialNumber));
}

/** Two codes that follow each other, as a device shows them when it is enabled or set right; the device as they make it. */
export function synchronize(
  device: MfaDevice,
  seal: Seal,
  codes: readonly [string, string],
  now: number,
  reach: number,
): MfaDevice | undefined {
  const seed = seal.open(device.sealedSeed);
  if (!seed) return undefined;
  const current = stepAt(now);
  for (const step of stepsAround(current, reach, reach)) {
    if (findStep(seed, codes[0], [step]) === undefined || findStep(seed, codes[1], [step + 1]) === undefined) continue;
    const off = step + 1 - current;
    // One step is how long it takes to type two codes.
    const drift = Math.abs(off) <= 1 ? 0 : off;
    return { ...device, drift, usedStep: step + 1, failures: 0, lockedUntil: 0 };
  }
  return undefined;
}

/**
 * Whether a user's device shows this code now. A code is taken once; after some wrong ones the device is not asked for a
 * while, so that codes cannot be guessed.
 */
export async function takeCode(
  store: Store,
  seal: Seal,
  asked: {
    readonly account: string;
    readonly userId: string;
    readonly serialNumber: string;
    readonly code: string;
    readonly now: number;
  },
): Promise<boolean> {
  const { account, now } = asked;
  return await store.transact(async (tx) => {
    const device = await readMfaDevice(tx, account, asked.serialNumber);
    if (device?.user?.id !== asked.userId || device.lockedUntil > now) return false;
    const seed = seal.open(device.sealedSeed);
    if (!seed) return false;
    const steps = stepsAround(stepAt(now) + device.drift, 1, 1).filter((step) => step > device.usedStep);
    const usedStep = findStep(seed, asked.code, steps);
    if (usedStep !== undefined) {
      writeMfaDevice(tx, account, { ...device, usedStep, failures: 0, lockedUntil: 0 });
      return true;
    }
    const failures = device.failures + 1;
    const extra = failures - iamLimits.mfaFailuresFree;
    const lockedUntil = extra < 0 ? 0 : now + Math.min(iamLimits.mfaLockMsMax, 1_000 * 2 ** Math.min(extra, 20));
    writeMfaDevice(tx, account, { ...device, failures, lockedUntil });
    return false;
  });
}
