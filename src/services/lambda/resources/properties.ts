import { AwsError } from "../../../aws/error.ts";
import type { Properties, ResourceContext } from "../../cloudformation/port.ts";

/** CloudFormation passes scalars as templates write them: numbers and booleans may come as text. */
export function textOf(properties: Properties, name: string): string | undefined {
  const value = properties[name];
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : undefined;
}

export function numberOf(properties: Properties, name: string): number | undefined {
  const text = textOf(properties, name);
  return text === undefined ? undefined : Number(text);
}

export function stringsOf(properties: Properties, name: string): string[] | undefined {
  const value = properties[name];
  return value === undefined ? undefined : (Array.isArray(value) ? value : [value]).map(String);
}

export function objectOf(properties: Properties, name: string): Properties | undefined {
  const value = properties[name];
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

/** The resource's `Tags`, over those of the stack. */
export function tagsOf(context: ResourceContext): Record<string, string> {
  const tags: Record<string, string> = { ...context.tags };
  const listed = context.properties["Tags"];
  if (!Array.isArray(listed)) return tags;
  for (const each of listed) {
    if (typeof each !== "object" || each === null || !("Key" in each)) continue;
    tags[String(each.Key)] = "Value" in each ? String(each.Value) : "";
  }
  return tags;
}

/** An object without its undefined members, as the SDK's types want optional members. */
export function defined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // Only members with a value are left.
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

export function isAwsError(error: unknown, code: string): boolean {
  return error instanceof AwsError && error.code === code;
}

/** A delete of what is gone already has succeeded. */
export async function unlessGone(deletion: Promise<unknown>): Promise<void> {
  try {
    await deletion;
  } catch (error) {
    if (!isAwsError(error, "ResourceNotFoundException")) throw error;
  }
}
