import type { AccessKey, AccessKeySource } from "../../access/credential-source.ts";
import type { Identity, IdentityPrincipal, IdentitySource } from "../../access/identity-source.ts";
import { createLru } from "../../access/lru.ts";
import type { PolicyCompiler } from "../../access/policy/compile.ts";
import type { NamedPolicy } from "../../access/policy/evaluate.ts";
import type { Seal } from "../../access/server-keys.ts";
import type { Reader, Store } from "../../kernel/store/store.ts";
import { iamLimits } from "./limits.ts";
import { findAwsPolicy } from "./managed-policies.ts";
import {
  accessKeyKey,
  accessKeyUseKey,
  iamPrefix,
  nameKey,
  readEntity,
  readPolicy,
  type AccessKeyRecord,
  type AccessKeyUse,
  type Entity,
} from "./model.ts";

export interface IdentitiesNeeds {
  readonly store: Store;
  readonly seal: Seal;
  readonly compile: PolicyCompiler;
  readonly now: () => number;
}

/**
 * What the verifier and the authorizer ask on every call. Answered from memory; everything remembered is dropped when
 * IAM's records change, on this process or another.
 */
export function createIdentities(needs: IdentitiesNeeds): {
  readonly identities: IdentitySource;
  readonly accessKeys: AccessKeySource;
  stop(): void;
} {
  const { store } = needs;
  const cache = createCache(store);
  const lastUses = createLru<number>(iamLimits.identitiesCachedMax);

  const findIdentity = (principal: IdentityPrincipal) =>
    cache.get(`identity/${principal.arn}/${toId(principal)}`, (reader) => readIdentity(reader, needs, principal));

  const findAccessKey = (accessKeyId: string) =>
    cache.get(`key/${accessKeyId}`, async (reader) => await readAccessKey(reader, needs.seal, accessKeyId));

  return {
    identities: {
      findIdentity,
      findManagedPolicy: (account, arn) =>
        cache.get(`policy/${account}/${arn}`, (reader) => readNamedPolicy(reader, needs.compile, account, arn)),
    },
    accessKeys: {
      findAccessKey,
      isKnown: async (accessKeyId) =>
        (await store.read((reader) => reader.get(accessKeyKey(accessKeyId)))) !== undefined,
      noteUse: (accessKeyId, service, region) => {
        const at = needs.now();
        if (!accessKeyId.startsWith("AKIA") || at - (lastUses.get(accessKeyId) ?? 0) < iamLimits.lastUsedIntervalMs) {
          return;
        }
        lastUses.set(accessKeyId, at);
        // Not awaited: nobody waits for it, and a use that is not written down is noted again.
        void noteUse(store, accessKeyId, { at, service, region }).catch(() => lastUses.delete(accessKeyId));
      },
    },
    stop: cache.stop,
  };
}

interface Cache {
  /** The remembered answer, or the one that `read` finds. That there is nothing is not remembered. */
  get<V>(name: string, read: (reader: Reader) => Promise<V | undefined>): Promise<V | undefined> | V | undefined;
  stop(): void;
}

function createCache(store: Store): Cache {
  const known = createLru<unknown>(iamLimits.identitiesCachedMax);
  let generation = 0;
  const unwatch = store.watch(iamPrefix, () => {
    generation++;
    known.clear();
  });
  return {
    get: <V>(name: string, read: (reader: Reader) => Promise<V | undefined>) => {
      const found = known.get(name) as V | undefined;
      if (found !== undefined) return found;
      const begun = generation;
      return store.read(read).then((value) => {
        // A change while it was read may have made it stale.
        if (value !== undefined && begun === generation) known.set(name, value);
        return value;
      });
    },
    stop: unwatch,
  };
}

function toId(principal: IdentityPrincipal): string {
  return principal.type === "user" ? principal.userId : principal.roleId;
}

async function readIdentity(
  reader: Reader,
  { compile }: IdentitiesNeeds,
  principal: IdentityPrincipal,
): Promise<Identity | undefined> {
  const { account } = principal;
  const entity =
    principal.type === "user"
      ? await readEntity(reader, account, "user", principal.userName)
      : await readEntity(reader, account, "role", toRoleName(principal.roleArn));
  // Another of the same name is not the one that the credentials are of.
  if (entity?.id !== toId(principal)) return undefined;
  const policies = await readPolicies(reader, compile, account, entity);
  if (entity.kind === "user") {
    for (const name of entity.groups) {
      const group = await readEntity(reader, account, "group", name);
      if (group) policies.push(...(await readPolicies(reader, compile, account, group)));
    }
  }
  const boundary = entity.permissionsBoundary;
  return {
    policies,
    permissionsBoundary:
      boundary === undefined
        ? undefined
        : // A boundary that is gone must go on bounding: nothing is allowed.
          ((await readNamedPolicy(reader, compile, account, boundary)) ?? {
            name: boundary,
            policy: { statements: [] },
          }),
    tags: entity.tags,
  };
}

async function readPolicies(
  reader: Reader,
  compile: PolicyCompiler,
  account: string,
  entity: Entity,
): Promise<NamedPolicy[]> {
  const policies: NamedPolicy[] = Object.entries(entity.inlinePolicies).map(([name, document]) => ({
    name: `${entity.arn}/${name}`,
    policy: compile(document, "identity"),
  }));
  for (const arn of entity.attachedPolicies) {
    const policy = await readNamedPolicy(reader, compile, account, arn);
    if (policy) policies.push(policy);
  }
  return policies;
}

async function readNamedPolicy(
  reader: Reader,
  compile: PolicyCompiler,
  account: string,
  arn: string,
): Promise<NamedPolicy | undefined> {
  const policy = (await findAwsPolicy(arn)) ?? (await readPolicy(reader, account, arn));
  const version = policy?.versions.find(({ id }) => id === policy.defaultVersionId);
  return version && { name: arn, policy: compile(version.document, "identity") };
}

/** `arn:aws:iam::1:role/path/NAME` → `NAME` */
export function toRoleName(roleArn: string): string {
  return roleArn.slice(roleArn.lastIndexOf("/") + 1);
}

async function readAccessKey(reader: Reader, seal: Seal, accessKeyId: string): Promise<AccessKey | undefined> {
  const record = await reader.get<AccessKeyRecord>(accessKeyKey(accessKeyId));
  if (record?.status !== "Active") return undefined;
  const user = await readEntity(reader, record.account, "user", record.userName);
  const secret = seal.open(record.sealedSecret);
  if (!user || nameKey(user.name) !== nameKey(record.userName) || !secret) return undefined;
  return {
    secretAccessKey: Buffer.from(secret).toString("utf8"),
    principal: {
      type: "user",
      account: record.account,
      arn: user.arn,
      userId: user.id,
      userName: user.name,
      accessKeyId,
    },
  };
}

async function noteUse(store: Store, accessKeyId: string, use: AccessKeyUse): Promise<void> {
  await store.transact(async (tx) => {
    const known = await tx.get(accessKeyKey(accessKeyId));
    if (known) tx.set(accessKeyUseKey(accessKeyId), use);
  });
}
