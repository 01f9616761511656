import { statementSpans } from "../../access/policy/spans.ts";
import type { Reader, Store } from "../../kernel/store/store.ts";
import { policyPrincipalKey, readEntity, type PolicyPrincipal } from "./model.ts";

/**
 * AWS: what a policy that names a user or role keeps is its unique id. It is shown as the ARN for as long as there is that very user or
 * role; afterwards as the id, and one made again under the name has nothing of it. Source: "IAM JSON policy elements: Principal".
 */
export interface PolicyPrincipals {
  /** A policy as it is kept. What is no policy stays what it is: whoever reads it says so. */
  keep(policy: string): Promise<string>;
  /** One principal as it is kept. */
  keepName(principal: string): Promise<string>;
  /** A policy as it is shown. */
  show(policy: string): Promise<string>;
}

export function createPolicyPrincipals(store: Store): PolicyPrincipals {
  const toId = async (arn: string): Promise<string> => {
    const [, account = "", kind, name = ""] = arnPattern.exec(arn) ?? [];
    if (kind !== "user" && kind !== "role") return arn;
    return store.transact(async (tx) => {
      const entity = await readEntity(tx, account, kind, name);
      if (entity?.arn !== arn) return arn;
      const owner: PolicyPrincipal = { account, kind, name };
      tx.set(policyPrincipalKey(entity.id), owner);
      return entity.id;
    });
  };
  const toArn = (id: string): Promise<string> => store.read((reader) => findArn(reader, id));
  return {
    keep: (policy) => (/:(?:user|role)\//.test(policy) ? replacePrincipals(policy, toId) : Promise.resolve(policy)),
    keepName: toId,
    show: (policy) => (/"A(?:IDA|ROA)/.test(policy) ? replacePrincipals(policy, toArn) : Promise.resolve(policy)),
  };
}

const arnPattern = /^arn:aws:iam::(\d{12}):(user|role)\/(?:[^*]*\/)?([^/*]+)$/;

async function findArn(reader: Reader, id: string): Promise<string> {
  if (!/^A(?:IDA|ROA)/.test(id)) return id;
  const owner = await reader.get<PolicyPrincipal>(policyPrincipalKey(id));
  const entity = owner && (await readEntity(reader, owner.account, owner.kind, owner.name));
  return entity?.id === id ? entity.arn : id;
}

async function replacePrincipals(policy: string, replace: (name: string) => Promise<string>): Promise<string> {
  let replaced = "";
  let at = 0;
  for (const { start, end, value } of spansOf(policy)) {
    const name = await replace(value);
    if (name === value) continue;
    replaced += policy.slice(at, start) + JSON.stringify(name);
    at = end;
  }
  return replaced + policy.slice(at);
}

/** None of what is no policy, or is nested too deeply to be one: whoever reads it says so. */
function spansOf(policy: string) {
  try {
    JSON.parse(policy);
    return statementSpans(policy)
      .flatMap(({ principals }) => principals)
      .toSorted((a, b) => a.start - b.start);
  } catch {
    return [];
  }
}
