import { authorizationReference } from "../../../src/access/reference/reference.generated.ts";

/** What the Service Authorization Reference says of an action; undefined when it has no such action. */
export function documented(action: string): Documented | undefined {
  const [prefix = "", name = ""] = action.split(":");
  const service = authorizationReference[prefix];
  const facts = service && Object.hasOwn(service.actions, name) ? service.actions[name] : undefined;
  if (!service || !facts) return undefined;
  const [resourceTypes, ownKeys] = facts;
  const types = resourceTypes.map((type) => service.resources[type] ?? []);
  const keys = [...ownKeys, ...types.flatMap(([, ...conditionKeys]) => conditionKeys)];
  return {
    forms: types.flatMap(([arn = ""]) => arn.split(", ")),
    // `aws:RequestTag/${TagKey}`: any tag.
    conditionKeys: keys.map((key) => key.toLowerCase().replace(/\$\{.*/, "")),
  };
}

export interface Documented {
  /** Forms of ARNs; none where the action has no resource but `*`. */
  readonly forms: readonly string[];
  /** Lower case; those that end with a slash stand for all that begin so. */
  readonly conditionKeys: readonly string[];
}

/** Whether an ARN is of a documented form: a placeholder stands for one part, at the end for what is left. */
export function isOfForm(arn: string, form: string): boolean {
  const parts = form.split(":").map((part, index) =>
    part
      .split(/\$\{[^}]*\}/)
      .map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join(index < 5 ? "[^:]*" : ".+"),
  );
  return new RegExp(`^${parts.join(":")}$`).test(arn);
}
