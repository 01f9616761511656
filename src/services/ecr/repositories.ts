import type { AuthorizationRequest } from "../../access/authorization.ts";
import type { Reader, Store, Transaction } from "../../kernel/store/store.ts";
import type { Blobs } from "../../kernel/blobs/blobs.ts";
import { invalidParameter, repositoryNotFound } from "./errors.ts";
import { blobUsePrefix, readRepository, repositoryArn, type Place, type Repository } from "./model.ts";

/** Source: API reference, CreateRepository. */
export const namePattern = /^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

export async function existingRepository(reader: Reader, place: Place, name: string): Promise<Repository> {
  const repository = await readRepository(reader, place, name);
  if (!repository) throw repositoryNotFound(place, name);
  return repository;
}

/** What must be allowed to do something with a repository: its own policy has a say. */
export async function onRepository(
  store: Store,
  action: string,
  place: Place,
  name: string,
): Promise<AuthorizationRequest> {
  const repository = await store.read((reader) => readRepository(reader, place, name));
  return {
    action: `ecr:${action}`,
    resource: repositoryArn(place, name),
    resourceAccount: place.account,
    ...(repository?.policy && { resourcePolicy: repository.policy.evaluated }),
    ...(repository && { context: resourceTags(repository) }),
  };
}

function resourceTags(repository: Repository): Record<string, readonly string[]> {
  return Object.fromEntries(
    Object.entries(repository.tags).flatMap(([key, value]) => [
      [`aws:ResourceTag/${key}`, [value]],
      [`ecr:ResourceTag/${key}`, [value]],
    ]),
  );
}

/** The registry of a call: its own account's, or the one it names. */
export function registryOf(call: Place, registryId: string | undefined): Place {
  return { account: registryId ?? call.account, region: call.region };
}

/** Requests that are about one repository. */
export interface Named {
  readonly registryId?: string | undefined;
  readonly repositoryName: string | undefined;
}

export function placeOf(input: Named, call: Place): { readonly place: Place; readonly name: string } {
  return { place: registryOf(call, input.registryId), name: present(input.repositoryName, "repositoryName") };
}

export function present<T>(value: T | undefined, member: string): T {
  if (value === undefined)
    throw invalidParameter(`Invalid parameter at '${member}' failed to satisfy constraint: 'Member must not be null'`);
  return value;
}

/** `owner` uses the content. */
export function retainBlob(tx: Transaction, blobs: Blobs, blobId: string, owner: string): void {
  tx.set([...blobUsePrefix(blobId), owner], true);
  blobs.retain(tx, blobId);
}

/** `owner` uses it no more; the last one drops it. */
export async function releaseBlob(tx: Transaction, blobs: Blobs, blobId: string, owner: string): Promise<void> {
  tx.delete([...blobUsePrefix(blobId), owner]);
  const others = await tx.range({ prefix: blobUsePrefix(blobId) }, { limit: 1 });
  if (others.length === 0) blobs.release(tx, blobId);
}

/**
 * Where a registry is, as the client reached the platform. Clients that use an address or `localhost` get it back, for they may be
 * unable to resolve anything else; others get AWS's form before their name.
 */
export function registryHost(endpoint: string, place: Place): string {
  const { hostname, host, port } = new URL(endpoint);
  if (/^(?:\[.*\]|[\d.]+|localhost)$/.test(hostname)) return host;
  const suffix = hostname.replace(/^(?:api\.)?ecr\.(?:[a-z]{2}(?:-[a-z]+)+-\d\.)?/, "");
  return `${place.account}.dkr.ecr.${place.region}.${suffix}${port === "" ? "" : `:${port}`}`;
}
