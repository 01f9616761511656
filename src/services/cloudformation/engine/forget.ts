import { keys, type Stack } from "../model.ts";
import type { EngineNeeds } from "./run.ts";
import type { StackJob } from "./stack-run.ts";

/** Remove all that is left of a stack that was deleted long ago, some entries at a time. */
export async function forgetStack(needs: EngineNeeds, { stackId, ...at }: StackJob): Promise<void> {
  const prefixes = [
    keys.events(at, stackId),
    keys.resources(at, stackId),
    keys.obsoletes(at, stackId),
    keys.deployments(at, stackId),
    keys.templates(at, stackId),
    keys.changeSets(at, stackId),
    keys.allChanges(at, stackId),
  ];
  const stack = await needs.store.read((reader) => reader.get<Stack>(keys.stack(at, stackId)));
  if (stack?.status !== "DELETE_COMPLETE") return;
  for (const prefix of prefixes) {
    for (let more = true; more;) {
      more = await needs.store.transact(async (tx) => {
        const entries = await tx.range({ prefix }, { limit: pageEntries });
        for (const { key } of entries) tx.delete(key);
        return entries.length === pageEntries;
      });
    }
  }
  await needs.store.transact(async (tx) => tx.delete(keys.stack(at, stackId)));
}

const pageEntries = 100;
