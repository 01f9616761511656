import { SamTransformError, transformSam } from "../sam/transform.ts";
import type { JsonObject } from "./parse.ts";
import { samTransform, TransformError, type SamTransform } from "./transforms.ts";

/**
 * `AWS::Serverless-2016-10-31` with the managed policies of this platform.
 *
 * @param managedPolicies their ARNs by name
 */
export function createSamTransform(managedPolicies: Readonly<Record<string, string>>): SamTransform {
  return (template, { parameters, region, now }) => {
    try {
      const options = { parameters: Object.fromEntries(parameters), region, managedPolicies, now };
      const { template: transformed } = transformSam(template, options);
      // The transform's values come from a template; this makes sure that nothing else is among them.
      const plain: JsonObject = JSON.parse(JSON.stringify(transformed));
      return plain;
    } catch (error) {
      if (error instanceof SamTransformError) throw new TransformError(samTransform, error.message);
      throw error;
    }
  };
}
