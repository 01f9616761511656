import type { Key, Reader, Transaction } from "../../../kernel/store/store.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import {
  aliasNotFound,
  functionNotFound,
  invalidParameter,
  notFound,
  resourceNotFound,
  revisionMismatch,
} from "../errors.ts";
import { toPolicyDocument } from "../functions.ts";
import { functionArn, keyOf, type PolicyRecord } from "../model.ts";
import { isVersionNumber, parseFunctionName, type FunctionReference } from "../names.ts";
import type { OperationNeeds, Sdk } from "../needs.ts";
import { onFunction } from "../permissions.ts";
import { addStatement, toStatement } from "../statements.ts";
import { existingFunction } from "../versions.ts";

export function permissionOperations({ store, functions, ids }: OperationNeeds) {
  return {
    AddPermission: {
      authorize: async (input, call) => {
        const context = {
          ...(input.Principal !== undefined && { "lambda:Principal": [input.Principal] }),
          ...(input.FunctionUrlAuthType !== undefined && { "lambda:FunctionUrlAuthType": [input.FunctionUrlAuthType] }),
        };
        return onFunction(functions, "AddPermission", input.FunctionName, call, input.Qualifier, context);
      },
      async run(input, call) {
        const place = parseFunctionName(input.FunctionName, call, input.Qualifier);
        if (input.FunctionUrlAuthType !== undefined && input.Action !== "lambda:InvokeFunctionUrl") {
          throw invalidParameter("FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action");
        }
        const statement = toStatement(input, functionArn(place, place.name, place.qualifier));
        await store.transact(async (tx) => {
          const { key, policy } = await readPolicy(tx, place);
          checkRevision(policy, input.RevisionId);
          tx.set(key, addStatement(policy, statement, ids.uuid()));
        });
        return { Statement: JSON.stringify(statement) };
      },
    },

    RemovePermission: {
      authorize: (input, call) => onFunction(functions, "RemovePermission", input.FunctionName, call, input.Qualifier),
      async run(input, call) {
        const place = parseFunctionName(input.FunctionName, call, input.Qualifier);
        await store.transact(async (tx) => {
          const { key, policy } = await readPolicy(tx, place);
          if (!policy) throw notFound("No policy is associated with the given resource.");
          checkRevision(policy, input.RevisionId);
          removeStatement(tx, key, policy, input.StatementId ?? "", ids.uuid());
        });
        return {};
      },
    },

    GetPolicy: {
      authorize: (input, call) => onFunction(functions, "GetPolicy", input.FunctionName, call, input.Qualifier),
      async run(input, call) {
        const place = parseFunctionName(input.FunctionName, call, input.Qualifier);
        const { policy } = await store.read((reader) => readPolicy(reader, place));
        if (!policy) throw resourceNotFound();
        return { Policy: toPolicyDocument(policy), RevisionId: policy.revisionId };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

/** Remove a statement; the last one takes the policy with it. Throws ResourceNotFoundException when there is none of that id. */
export function removeStatement(
  tx: Transaction,
  key: Key,
  policy: PolicyRecord,
  statementId: string,
  revisionId: string,
): void {
  const statements = policy.statements.filter(({ Sid }) => Sid !== statementId);
  if (statements.length === policy.statements.length) {
    throw notFound(`Statement ${statementId} is not found in resource policy.`);
  }
  if (statements.length === 0) tx.delete(key);
  else tx.set(key, { ...policy, revisionId, statements } satisfies PolicyRecord);
}

async function readPolicy(reader: Reader, place: FunctionReference) {
  const record = await existingFunction(reader, place);
  const { qualifier } = place;
  if (qualifier === "$LATEST") {
    throw invalidParameter("We currently do not support adding policies for $LATEST.");
  }
  if (qualifier !== undefined && isVersionNumber(qualifier)) {
    const version = await reader.get(keyOf("version", place, record.name, Number(qualifier)));
    if (!version) throw functionNotFound(functionArn(place, record.name, qualifier));
  } else if (qualifier !== undefined && !(await reader.get(keyOf("alias", place, record.name, qualifier)))) {
    throw aliasNotFound(functionArn(place, record.name, qualifier));
  }
  const key = keyOf("policy", place, record.name, qualifier ?? "");
  return { key, policy: await reader.get<PolicyRecord>(key) };
}

function checkRevision(policy: PolicyRecord | undefined, revisionId: string | undefined): void {
  if (revisionId !== undefined && revisionId !== policy?.revisionId) throw revisionMismatch("GetPolicy");
}
