import type { Ids } from "../../../kernel/ids.ts";
import type { Reader, Transaction } from "../../../kernel/store/store.ts";
import { cognitoLimits as limits } from "../limits.ts";
import { type Device, inPool, type Pool, type User } from "../model.ts";

export function readDevice(reader: Reader, pool: Pool, user: User, key: string): Promise<Device | undefined> {
  return reader.get<Device>(inPool("device", pool.id, user.key, key));
}

/** A user has so many devices at the most: the one that was used the longest ago makes room. */
export async function writeDevice(tx: Transaction, pool: Pool, user: User, device: Device): Promise<void> {
  const prefix = inPool("device", pool.id, user.key);
  if (!(await tx.get([...prefix, device.key]))) {
    const others = await tx.range<Device>({ prefix }, { limit: limits.devicesMax });
    if (others.length >= limits.devicesMax) {
      const [oldest] = others.toSorted((a, b) => a.value.authenticatedAt - b.value.authenticatedAt);
      if (oldest) tx.delete(oldest.key);
    }
  }
  tx.set([...prefix, device.key], device);
}

export function newDevice(ids: Ids, pool: Pool, now: number, sourceIp: string | undefined): Device {
  return {
    v: 1,
    key: `${pool.region}_${ids.uuid()}`,
    groupKey: `-${ids.random(8, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")}`,
    remembered: false,
    ...(sourceIp !== undefined && { lastIpAddress: sourceIp }),
    createdAt: now,
    updatedAt: now,
    authenticatedAt: now,
  };
}
