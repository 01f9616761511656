import type { ResourceContext } from "../../cloudformation/port.ts";

/** Make something whose identifier is not ours to choose: where a crash may have cut off its creation, look for it first. */
export async function createOnce<T>(
  { resumed }: ResourceContext,
  find: () => Promise<T | undefined>,
  create: () => Promise<T>,
): Promise<T> {
  return (resumed === true ? await find() : undefined) ?? create();
}
