import type { AuthorizationRequest } from "../../../access/authorization.ts";
import { parseArn, toArn } from "../../../aws/arn.ts";
import type { Call } from "../../../wire/service.ts";
import { findStack } from "../model.ts";
import type { OperationNeeds } from "./needs.ts";

/** What must be allowed on a stack: its id where there is one, otherwise any id of its name. */
export async function onStack(
  needs: Pick<OperationNeeds, "store">,
  call: Call,
  nameOrId: string | undefined,
  context: Readonly<Record<string, readonly string[]>> = {},
): Promise<readonly AuthorizationRequest[]> {
  const action = `cloudformation:${call.operation}`;
  if (nameOrId === undefined) return [{ action, resource: "*", context }];
  if (nameOrId.startsWith("arn:")) return [{ action, resource: nameOrId, context }];
  const stack = await needs.store.read((reader) => findStack(reader, call, nameOrId));
  const resource = stack?.stackId ?? toArn("cloudformation", call.region, call.account, `stack/${nameOrId}/*`);
  return [{ action, resource, context }];
}

/** An operation that is about no stack in particular. */
export function onAnything(call: Call): readonly AuthorizationRequest[] {
  return [{ action: `cloudformation:${call.operation}`, resource: "*" }];
}

/** Condition keys of the operations that deploy. */
export function deploymentContext(input: {
  readonly RoleARN?: string | undefined;
  readonly TemplateURL?: string | undefined;
  readonly ChangeSetName?: string | undefined;
  readonly Tags?: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined;
}): Readonly<Record<string, readonly string[]>> {
  const tags = input.Tags ?? [];
  return {
    ...(input.RoleARN !== undefined && { "cloudformation:RoleArn": [input.RoleARN] }),
    ...(input.TemplateURL !== undefined && { "cloudformation:TemplateUrl": [input.TemplateURL] }),
    ...(input.ChangeSetName !== undefined && { "cloudformation:ChangeSetName": [input.ChangeSetName] }),
    ...(tags.length > 0 && { "aws:TagKeys": tags.map(({ Key }) => Key ?? "") }),
    ...Object.fromEntries(tags.map(({ Key, Value }) => [`aws:RequestTag/${Key ?? ""}`, [Value ?? ""]])),
  };
}

/** The stack of a change set given by its ARN is found by looking at all; its name alone needs the stack's. */
export function isChangeSetArn(text: string): boolean {
  return parseArn(text)?.resource.startsWith("changeSet/") ?? false;
}
