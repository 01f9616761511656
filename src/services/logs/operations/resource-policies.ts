import { parsePolicyDocument, PolicyGrammarError } from "../../../access/policy/document.ts";
import type { AuthorizationRequest } from "../../../access/authorization.ts";
import { notImplemented } from "../../../aws/error.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { invalidParameter, limitExceeded, policyNotFound } from "../errors.ts";
import { logsLimits } from "../limits.ts";
import { resourcePolicyPrefix, type Place, type ResourcePolicy } from "../model.ts";
import { present } from "../rules.ts";
import { parseNameToken, toNameToken } from "../tokens.ts";
import type { OperationNeeds, Sdk } from "./needs.ts";

/** Policies of an account's logs in a region: who, beside those whom identities' policies allow, may write. */
export function resourcePolicyOperations({ store }: OperationNeeds) {
  return {
    PutResourcePolicy: {
      authorize: () => [{ action: "logs:PutResourcePolicy", resource: "*" }],
      async run(input, call) {
        if (input.resourceArn !== undefined) throw notImplemented("The parameter resourceArn of PutResourcePolicy");
        if (input.expectedRevisionId !== undefined) {
          throw notImplemented("The parameter expectedRevisionId of PutResourcePolicy");
        }
        const policy: ResourcePolicy = {
          v: 1,
          name: present(input.policyName, "policyName"),
          document: checkDocument(present(input.policyDocument, "policyDocument")),
          updatedAt: call.now,
        };
        await store.transact(async (tx) => {
          const others = (await readPolicies(tx, call)).filter(({ name }) => name !== policy.name);
          if (others.length >= logsLimits.resourcePoliciesMax) throw limitExceeded();
          tx.set([...resourcePolicyPrefix(call), policy.name], policy);
        });
        return { resourcePolicy: describe(policy) };
      },
    },

    DescribeResourcePolicies: {
      authorize: () => [{ action: "logs:DescribeResourcePolicies", resource: "*" }],
      async run(input, call) {
        if (input.resourceArn !== undefined || input.policyScope === "RESOURCE") {
          throw notImplemented("Policies of single log groups (resourceArn, policyScope) in DescribeResourcePolicies");
        }
        const after = input.nextToken === undefined ? undefined : parseNameToken(input.nextToken);
        const limit = input.limit ?? logsLimits.describeLimitDefault;
        const found = (await store.read((reader) => readPolicies(reader, call))).filter(
          ({ name }) => after === undefined || name > after,
        );
        const last = found[limit - 1];
        return {
          resourcePolicies: found.slice(0, limit).map(describe),
          ...(found.length > limit && last && { nextToken: toNameToken(last.name) }),
        };
      },
    },

    DeleteResourcePolicy: {
      authorize: () => [{ action: "logs:DeleteResourcePolicy", resource: "*" }],
      async run(input, call) {
        if (input.resourceArn !== undefined || input.expectedRevisionId !== undefined) {
          throw notImplemented("The parameters resourceArn and expectedRevisionId of DeleteResourcePolicy");
        }
        const name = present(input.policyName, "policyName");
        await store.transact(async (tx) => {
          const key = [...resourcePolicyPrefix(call), name];
          if (!(await tx.get(key))) throw policyNotFound(name);
          tx.delete(key);
        });
        return {};
      },
    },
  } satisfies OperationsOf<Sdk>;
}

/** The same question with the account's policies of its logs. */
export async function withResourcePolicies(
  store: OperationNeeds["store"],
  requests: readonly AuthorizationRequest[],
  call: Call,
): Promise<readonly AuthorizationRequest[]> {
  const policies = await store.read((reader) => readPolicies(reader, call));
  if (policies.length === 0) return requests;
  const Statement = policies.flatMap(({ document }) => statementsOf(document));
  const resourcePolicy = JSON.stringify({ Version: "2012-10-17", Statement });
  return requests.map((request) => ({ ...request, resourcePolicy }));
}

async function readPolicies(reader: Reader, place: Place): Promise<ResourcePolicy[]> {
  const entries = await reader.range<ResourcePolicy>({ prefix: resourcePolicyPrefix(place) }, { limit: 100 });
  return entries.map(({ value }) => value);
}

/** Without their ids, which are unique in one policy only. */
function statementsOf(document: string): unknown[] {
  // The grammar was checked when the policy was put.
  const { Statement } = JSON.parse(document, (name, value: unknown) => (name === "Sid" ? undefined : value)) as {
    readonly Statement: object | readonly object[];
  };
  return [Statement].flat();
}

function checkDocument(text: string): string {
  try {
    parsePolicyDocument(text, "resource");
  } catch (error) {
    if (!(error instanceof PolicyGrammarError)) throw error;
    throw invalidParameter(`Invalid resource policy: ${error.message}`);
  }
  return text;
}

function describe(policy: ResourcePolicy) {
  return {
    policyName: policy.name,
    policyDocument: policy.document,
    lastUpdatedTime: policy.updatedAt,
    policyScope: "ACCOUNT" as const,
  };
}
