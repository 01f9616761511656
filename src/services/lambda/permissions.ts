import type { AuthorizationRequest } from "../../access/authorization.ts";
import type { Functions } from "./functions.ts";
import { functionArn, type Place } from "./model.ts";
import { parseFunctionName } from "./names.ts";

/** The question for an operation on a function: its ARN with the qualifier, and the resource policy of what that names. */
export async function onFunction(
  functions: Functions,
  action: string,
  name: string | undefined,
  place: Place,
  qualifier?: string,
  context?: AuthorizationRequest["context"],
): Promise<AuthorizationRequest[]> {
  const reference = parseFunctionName(name, place, qualifier);
  const policy = (await functions.find(reference, reference.name))?.policies.get(reference.qualifier ?? "");
  return [
    {
      action: `lambda:${action}`,
      resource: functionArn(reference, reference.name, reference.qualifier),
      resourceAccount: reference.account,
      ...(policy && { resourcePolicy: policy.document }),
      ...(context && { context }),
    },
  ];
}
