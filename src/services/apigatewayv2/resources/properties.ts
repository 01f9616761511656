import { AwsError } from "../../../aws/error.ts";
import type { Properties } from "../../cloudformation/port.ts";
import { badRequest } from "../errors.ts";

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

/** A map of strings, as tags and stage variables are. */
export function textsOf(properties: Properties, name: string): Record<string, string> {
  const entries = Object.entries(objectOf(properties, name) ?? {});
  return Object.fromEntries(entries.map(([key, value]) => [key, String(value)]));
}

/** Whether parameters must be there, by name: `{ "route.request.header.x": { "Required": true } }`. */
export function constraintsOf(properties: Properties, name: string): Record<string, { Required: boolean }> {
  const constraints = objectOf(properties, name) ?? {};
  const given = Object.keys(constraints).map((parameter) => {
    const required = flagOf(objectOf(constraints, parameter) ?? {}, "Required");
    return [parameter, { Required: required ?? false }] as const;
  });
  return Object.fromEntries(given);
}

/** A delete of what is gone already has succeeded. */
export async function unlessGone(deletion: Promise<unknown>): Promise<void> {
  try {
    await deletion;
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== "NotFoundException") throw error;
  }
}

/** Throws BadRequestException for anything else. */
export function oneOf<T extends string>(allowed: readonly T[], properties: Properties, name: string): T | undefined {
  const value = textOf(properties, name);
  if (value === undefined) return undefined;
  const found = allowed.find((item) => item === value);
  if (found === undefined) throw badRequest(`${name} must be one of ${allowed.join(", ")}`);
  return found;
}
