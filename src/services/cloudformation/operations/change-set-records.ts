import { parseArn } from "../../../aws/arn.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import { findStack, keys, readAll, type ChangeSet, type Place, type Stack } from "../model.ts";

export interface FoundChangeSet {
  readonly stack: Stack;
  readonly changeSet: ChangeSet;
}

/** By its ARN, or by its name and the stack's. */
export async function findChangeSet(
  reader: Reader,
  at: Place,
  nameOrId: string,
  stackNameOrId: string | undefined,
): Promise<FoundChangeSet | undefined> {
  const byId = parseArn(nameOrId)?.resource.startsWith("changeSet/") ?? false;
  const stacks =
    stackNameOrId === undefined
      ? await readAll<Stack>(reader, keys.stacks(at))
      : [await findStack(reader, at, stackNameOrId)];
  for (const stack of stacks) {
    if (!stack) continue;
    for (const changeSet of await readAll<ChangeSet>(reader, keys.changeSets(at, stack.stackId))) {
      if (
        byId ? changeSet.changeSetId === nameOrId : stackNameOrId !== undefined && changeSet.changeSetName === nameOrId
      ) {
        return { stack, changeSet };
      }
    }
  }
  return undefined;
}
