import type { Clock } from "../../../kernel/clock.ts";
import { transformSam } from "../sam/transform.ts";
import { parseTemplate } from "./parse.ts";
import type { SamTransform } from "./transforms.ts";

/** The SAM transform as the template engine calls it. */
export function createSamTransform(needs: {
  readonly clock: Clock;
  /** AWS's managed policies by name: their ARNs. */
  readonly managedPolicies: Readonly<Record<string, string>>;
}): SamTransform {
  return (template, { parameters, region }) => {
    const { template: made } = transformSam(template, {
      parameters: Object.fromEntries(parameters),
      region,
      managedPolicies: needs.managedPolicies,
      now: needs.clock.now(),
    });
    return parseTemplate(JSON.stringify(made));
  };
}
