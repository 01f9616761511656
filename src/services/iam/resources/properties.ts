import { AwsError } from "../../../aws/error.ts";
import type { ClientOf } from "../../../wire/service.ts";
import type { Properties, ResourceContext } from "../../cloudformation/port.ts";
import type { Sdk } from "../operations/needs.ts";

export type IamClient = ClientOf<Sdk>;

export function iamOf(context: ResourceContext): IamClient {
  return context.client<Sdk>("iam");
}

export function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value);
}

export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** A policy document, which templates give as an object or as its text. */
export function documentOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** `Policies`: inline policies by name. */
export function inlinePoliciesOf(properties: Properties): ReadonlyMap<string, string> {
  const listed = properties["Policies"];
  const policies = new Map<string, string>();
  for (const each of Array.isArray(listed) ? listed : []) {
    if (typeof each !== "object" || each === null || !("PolicyName" in each) || !("PolicyDocument" in each)) continue;
    policies.set(String(each.PolicyName), documentOf(each.PolicyDocument));
  }
  return policies;
}

/** The resource's own tags over those of the stack. CloudFormation's own cannot be given to IAM, as on AWS. */
export function tagsOf(context: ResourceContext): { Key: string; Value: string }[] {
  const tags = new Map(Object.entries(context.tags).filter(([key]) => !key.startsWith("aws:")));
  const listed = context.properties["Tags"];
  for (const each of Array.isArray(listed) ? listed : []) {
    if (typeof each !== "object" || each === null || !("Key" in each)) continue;
    tags.set(String(each.Key), "Value" in each ? String(each.Value) : "");
  }
  return [...tags].map(([Key, Value]) => ({ Key, Value }));
}

/** Carry on when what should go is gone already. */
export async function unlessGone(step: Promise<unknown>): Promise<void> {
  try {
    await step;
  } catch (error) {
    if (!isCode(error, "NoSuchEntity")) throw error;
  }
}

/** Carry on when an earlier, interrupted run of the same step has made it. */
export async function unlessResumed(context: ResourceContext, step: Promise<unknown>): Promise<void> {
  try {
    await step;
  } catch (error) {
    if (!context.resumed || !isCode(error, "EntityAlreadyExists")) throw error;
  }
}

/** Make something in steps; when one fails nothing stays behind. */
export async function wholly<T>(steps: () => Promise<T>, undo: () => Promise<unknown>): Promise<T> {
  try {
    return await steps();
  } catch (error) {
    // The first failure is the one to tell.
    await undo().catch(() => undefined);
    throw error;
  }
}

/** What is in one list and not in the other. */
export function without(list: readonly string[], others: readonly string[]): readonly string[] {
  return list.filter((item) => !others.includes(item));
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof AwsError && error.code === code;
}
