import { AwsError } from "../../../aws/error.ts";
import type { Properties } from "../../cloudformation/port.ts";

/** CloudFormation passes scalars as templates write them: numbers and booleans may come as text. */
export function textOf(properties: Properties, name: string): string | undefined {
  const value = properties[name];
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : undefined;
}

export function flagOf(properties: Properties, name: string): boolean | undefined {
  const text = textOf(properties, name);
  return text === undefined ? undefined : text === "true";
}

export function objectOf(properties: Properties, name: string): Properties | undefined {
  const value = properties[name];
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

export function objectsOf(properties: Properties, name: string): Properties[] | undefined {
  const list = properties[name];
  return Array.isArray(list) ? list.map((item) => objectOf({ item }, "item") ?? {}) : undefined;
}

export function textsOf(properties: Properties, name: string): Record<string, string> | undefined {
  const found = objectOf(properties, name);
  return found && Object.fromEntries(Object.entries(found).map(([key, value]) => [key, String(value)]));
}

/** A delete of what is gone already has succeeded. */
export async function unlessGone(deletion: Promise<unknown>): Promise<void> {
  try {
    await deletion;
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== "ResourceNotFoundException") throw error;
  }
}
