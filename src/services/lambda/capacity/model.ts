import { toArn } from "../../../aws/arn.ts";
import type { Key, Reader, Transaction } from "../../../kernel/store/store.ts";
import { keyOf, type FunctionSettings, type Place } from "../model.ts";
import { capacityProviderNotFound, otherArchitecture, versionsExceeded } from "./errors.ts";
import { capacityLimits } from "./limits.ts";

/** A capacity provider as stored. Version 1. */
export interface CapacityProviderRecord {
  readonly v: 1;
  readonly name: string;
  readonly modifiedAt: number;
  /** Recorded and shown: there are no instances here that would stand in a network. */
  readonly subnetIds: readonly string[];
  readonly securityGroupIds: readonly string[];
  readonly operatorRole: string;
  /** The architecture of its functions; x86_64 where nothing was said. */
  readonly architecture?: "x86_64" | "arm64";
  readonly scaling: CapacityScaling;
  readonly tags: Readonly<Record<string, string>>;
}

export interface CapacityScaling {
  readonly maxVcpus: number;
  /** With `Manual`: percent of the processors that are to be in use. */
  readonly cpuTarget?: number;
}

interface CapacityProviderReference extends Place {
  readonly name: string;
}

/** What PutFunctionScalingConfig asked for, of a published version. */
export interface FunctionScaling {
  readonly v: 1;
  readonly min?: number;
  readonly max?: number;
}

export function capacityProviderArn(place: Place, name: string): string {
  return toArn("lambda", place.region, place.account, `capacity-provider:${name}`);
}

/** A name or an ARN. Throws what AWS answers for an ARN of another account or region: that there is none. */
export function parseCapacityProvider(text: string | undefined, place: Place): CapacityProviderReference {
  const match = /^(?:arn:aws[a-zA-Z-]*:lambda:([a-z0-9-]+):(\d{12}):capacity-provider:)?([a-zA-Z0-9-_]+)$/.exec(
    text ?? "",
  );
  const [, region = place.region, account = place.account, name] = match ?? [];
  if (name === undefined || region !== place.region || account !== place.account) {
    throw capacityProviderNotFound(text ?? "");
  }
  return { region, account, name };
}

export function capacityProviderKey(place: Place, name: string): Key {
  return keyOf("capacityProvider", place, name);
}

export async function readCapacityProvider(
  reader: Reader,
  reference: CapacityProviderReference,
): Promise<CapacityProviderRecord> {
  const found = await reader.get<CapacityProviderRecord>(capacityProviderKey(reference, reference.name));
  if (!found) throw capacityProviderNotFound(capacityProviderArn(reference, reference.name));
  return found;
}

/** Below it: the function versions that use a provider, by function and version. */
export function capacityUsePrefix(place: Place, provider: string): Key {
  return keyOf("capacityUse", place, provider);
}

/** A function version that uses a capacity provider. */
export interface CapacityUse {
  readonly v: 1;
  readonly function: string;
  readonly version: string;
}

/**
 * Note which capacity provider a version of a function uses now, and no longer uses. Throws when there is no such provider, when it
 * has processors of another architecture, or as many versions as it may.
 */
export async function useCapacity(
  tx: Transaction,
  place: Place,
  name: string,
  version: string,
  before: FunctionSettings | undefined,
  after: FunctionSettings | undefined,
): Promise<void> {
  const [had, has] = [before?.capacity?.provider, after?.capacity?.provider];
  if (has !== undefined) {
    const { architecture } = await readCapacityProvider(tx, { ...place, name: has });
    if (architecture !== undefined && architecture !== after?.architecture) throw otherArchitecture(architecture);
  }
  if (had === has) return;
  if (had !== undefined) tx.delete([...capacityUsePrefix(place, had), name, version]);
  if (has === undefined) return;
  const prefix = capacityUsePrefix(place, has);
  const uses = await tx.range({ prefix }, { limit: capacityLimits.versionsMax + 1 });
  if (version !== "$LATEST" && uses.length >= capacityLimits.versionsMax) throw versionsExceeded();
  const use: CapacityUse = { v: 1, function: name, version };
  tx.set([...prefix, name, version], use);
}

export function functionScalingKey(place: Place, name: string, version: string): Key {
  return keyOf("functionScaling", place, name, version);
}
