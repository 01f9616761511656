import { actionNames } from "./action-names.generated.ts";

/** The platform's own actions, beside AWS's. */
const ownNames = ["Develop", "Explain", "GetUsage", "ListUsageRecords", "ReadOutbox"] as const;

/** As `cumulet:Explain`. */
export type OwnAction = `cumulet:${(typeof ownNames)[number]}`;

const known: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  [...Object.entries(actionNames), ["cumulet", ownNames.join(" ")] as const].map(([prefix, names]) => [
    prefix,
    new Set(names.split(" ")),
  ]),
);

/** Whether AWS documents such an action (or it is one of the platform's own): policies can name no other. */
export function isKnownAction(action: string): boolean {
  const colon = action.indexOf(":");
  return known.get(action.slice(0, colon))?.has(action.slice(colon + 1)) ?? false;
}
