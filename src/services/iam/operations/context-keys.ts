import { parseArn } from "../../../aws/arn.ts";
import { entityNotFound, validationError } from "../errors.ts";
import { readEntity } from "../model.ts";
import { policySourcesOf } from "../policy-sources.ts";
import { present } from "../rules.ts";
import { toSimulated } from "../simulated-policies.ts";
import { onResource, type IamOperations, type OperationNeeds } from "./needs.ts";

/** Which keys policies look at: what a simulation must be told. */
export function contextKeyOperations({ store }: OperationNeeds) {
  return {
    GetContextKeysForCustomPolicy: {
      authorize: (_input, call) => onResource(call, "*"),
      run: (input) => ({ ContextKeyNames: contextKeysOf(checked(input.PolicyInputList)) }),
    },
    GetContextKeysForPrincipalPolicy: {
      authorize: (input, call) => onResource(call, present(input.PolicySourceArn)),
      run: (input, call) =>
        store.read(async (reader) => {
          const arn = present(input.PolicySourceArn);
          const parsed = parseArn(arn);
          const [, kind] = /^(user|role|group)\//.exec(parsed?.resource ?? "") ?? [];
          if (parsed?.account !== call.account || (kind !== "user" && kind !== "role" && kind !== "group")) {
            throw validationError(`Invalid Entity Arn: ${arn} does not clearly define entity type and name.`);
          }
          const name = arn.slice(arn.lastIndexOf("/") + 1);
          const entity = await readEntity(reader, call.account, kind, name);
          if (entity?.arn !== arn) throw entityNotFound(kind, name);
          const sources = await policySourcesOf(reader, call.account, entity);
          return {
            ContextKeyNames: contextKeysOf([
              ...sources.map(({ document }) => document),
              ...checked(input.PolicyInputList),
            ]),
          };
        }),
    },
  } satisfies IamOperations;
}

function checked(documents: readonly string[] | undefined): readonly string[] {
  for (const document of documents ?? []) toSimulated("", document, "identity");
  return documents ?? [];
}

/** Of conditions, and of variables; as they are written, each once. */
export function contextKeysOf(documents: readonly string[]): string[] {
  const names = new Map<string, string>();
  const add = (name: string) => {
    if (!names.has(name.toLowerCase())) names.set(name.toLowerCase(), name);
  };
  for (const document of documents) {
    for (const name of conditionKeysIn(JSON.parse(document))) add(name);
    for (const [, name = ""] of document.matchAll(/\$\{([^}*?$,\s"]+)/g)) if (name.includes(":")) add(name);
  }
  return [...names.values()];
}

/** The document's grammar is right: a condition has operators, and each of them keys. */
function conditionKeysIn(document: unknown): readonly string[] {
  const statements = [membersOf(document)["Statement"]].flat();
  return statements.flatMap((statement) =>
    Object.values(membersOf(membersOf(statement)["Condition"])).flatMap((keys) => Object.keys(membersOf(keys))),
  );
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}
