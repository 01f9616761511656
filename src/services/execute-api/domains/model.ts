import type { Key, Reader, Transaction } from "../../../kernel/store/store.ts";
import type { DomainRecord, Place } from "./domain.ts";
import { domainLimits as limits } from "./limits.ts";

/** Below it are the domains of all accounts and regions, by name: what is written here is on the air. */
export const domainsPrefix: Key = ["execute-api", "domain"];

export function findDomain(reader: Reader, domainName: string): Promise<DomainRecord | undefined> {
  return reader.get<DomainRecord>([...domainsPrefix, domainName]);
}

export function writeDomain(tx: Transaction, record: DomainRecord): void {
  tx.set([...domainsPrefix, record.domainName], record);
  tx.set([...ownersPrefix(record), record.domainName], true);
}

export function deleteDomain(tx: Transaction, record: DomainRecord): void {
  tx.delete([...domainsPrefix, record.domainName]);
  tx.delete([...ownersPrefix(record), record.domainName]);
}

export async function listDomains(reader: Reader, place: Place): Promise<DomainRecord[]> {
  const prefix = ownersPrefix(place);
  const entries = await reader.range({ prefix }, { limit: limits.domainsPerRegionMax });
  const names = entries.map(({ key }) => key[prefix.length] ?? "");
  const found = await reader.getMany<DomainRecord>(names.map((name) => domainsPrefix.concat(name)));
  return found.filter((record) => record !== undefined);
}

function ownersPrefix({ account, region }: Place): Key {
  return ["execute-api", "domains-of", account, region];
}
