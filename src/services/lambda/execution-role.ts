import type { FunctionSpec, RoleCredentials } from "../../compute/compute.ts";
import type { IamPort } from "../iam/port.ts";
import { lambdaLimits } from "./limits.ts";

/**
 * The credentials that a function finds in its environment: its execution role, assumed by Lambda under the function's
 * name. Throws AccessDenied when the role is gone or trusts Lambda no longer.
 */
export function createExecutionRoles(iam: IamPort): (spec: FunctionSpec) => Promise<RoleCredentials> {
  return async (spec) => {
    const principal = await iam.assumeRole({
      roleArn: spec.roleArn,
      service: "lambda.amazonaws.com",
      sessionName: spec.functionName,
      sourceArn: spec.functionArn,
    });
    return iam.issueCredentials(principal, lambdaLimits.roleSessionSeconds);
  };
}
