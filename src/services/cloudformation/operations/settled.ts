import type { Call } from "../../../wire/service.ts";
import { cloudFormationLimits as limits } from "../limits.ts";
import { keys, type Stack } from "../model.ts";
import type { OperationNeeds } from "./needs.ts";

/**
 * Wait a little for the operation that was begun. Clients ask at once and then again only after many seconds: most stacks
 * are done before they ask for the first time.
 */
export async function waitALittle(needs: OperationNeeds, call: Call, stackId: string): Promise<void> {
  const { store, clock } = needs;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      unwatch();
      cancel();
      call.signal.removeEventListener("abort", end);
      resolve();
    };
    const look = async (): Promise<void> => {
      const stack = await store.read((reader) => reader.get<Stack>(keys.stack(call, stackId)));
      if (!stack?.status.endsWith("_IN_PROGRESS")) end();
    };
    const unwatch = store.watch(keys.stacks(call), () => void look().catch(end));
    const cancel = clock.after(limits.answerWaitMsMax, end);
    call.signal.addEventListener("abort", end, { once: true });
    look().catch(end);
  });
}
