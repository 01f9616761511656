import { customResourceType, isCustomType } from "./custom-resources/custom-types.ts";
import type { ResourceType } from "./port.ts";

/** The types that are built, by the names that templates have for them. */
export interface ResourceTypes {
  get(name: string): ResourceType | undefined;
  has(name: string): boolean;
}

/** One of them is what answers for all that authors of templates name themselves. */
export function createResourceTypes(all: readonly ResourceType[]): ResourceTypes {
  const types = new Map(all.map((each) => [each.type, each]));
  const get = (name: string) => types.get(isCustomType(name) ? customResourceType : name);
  return { get, has: (name) => get(name) !== undefined };
}
