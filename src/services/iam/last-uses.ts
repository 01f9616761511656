import { createLru } from "../../access/lru.ts";
import type { Principal } from "../../aws/principal.ts";
import type { Key, Reader, Store, Transaction } from "../../kernel/store/store.ts";
import { iamLimits } from "./limits.ts";

/** When a user or role has last called a service. Stored. */
export interface LastUse {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly region: string;
  /** The prefix of the service's actions. */
  readonly namespace: string;
}

const namespaces: Readonly<Record<string, string>> = {
  apigatewayv2: "apigateway",
  apigatewaymanagementapi: "execute-api",
  dynamodbstreams: "dynamodb",
};

/** Notes which services users and roles call: a note for each in an hour at the most, which nobody waits for. */
export function createLastUses(store: Store) {
  // A principal is one object while its key or session is remembered: most calls are answered by the first map.
  const ofPrincipal = new WeakMap<Principal, Map<string, number>>();
  const written = createLru<number>(iamLimits.identitiesCachedMax);

  const note = async (account: string, id: string, use: LastUse) => {
    await store.transact(async (tx) => {
      const known = await tx.get<LastUse>(useKey(account, id, use.namespace));
      if (known === undefined || known.at < use.at) tx.set(useKey(account, id, use.namespace), use);
    });
  };

  return (principal: Principal, service: string, region: string, now: number): void => {
    if (principal.type !== "user" && principal.type !== "assumedRole") return;
    let known = ofPrincipal.get(principal);
    if (known === undefined) ofPrincipal.set(principal, (known = new Map()));
    if (now - (known.get(service) ?? 0) < iamLimits.serviceUsedIntervalMs) return;
    known.set(service, now);
    const id = principal.type === "user" ? principal.userId : principal.roleId;
    const namespace = namespaces[service] ?? service;
    const name = `${id}/${namespace}`;
    if (now - (written.get(name) ?? 0) < iamLimits.serviceUsedIntervalMs) return;
    written.set(name, now);
    void note(principal.account, id, { at: now, region, namespace }).catch(() => written.delete(name));
  };
}

/** By the unique id: another of the same name has used nothing yet. */
function usesPrefix(account: string, id: string): Key {
  return ["iamAccess", account, id];
}

function useKey(account: string, id: string, namespace: string): Key {
  return [...usesPrefix(account, id), namespace];
}

/** As many as there are services. */
export async function readLastUses(reader: Reader, account: string, id: string): Promise<readonly LastUse[]> {
  const entries = await reader.range<LastUse>({ prefix: usesPrefix(account, id) }, { limit: iamLimits.scanEntries });
  return entries.map(({ value }) => value);
}

export async function latestUse(reader: Reader, account: string, id: string): Promise<LastUse | undefined> {
  const uses = await readLastUses(reader, account, id);
  return uses.toSorted((a, b) => b.at - a.at)[0];
}

export async function forgetUses(tx: Transaction, account: string, id: string): Promise<void> {
  for (const { namespace } of await readLastUses(tx, account, id)) tx.delete(useKey(account, id, namespace));
}
