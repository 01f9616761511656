import { AwsError } from "../../../aws/error.ts";
import type { Properties } from "../../cloudformation/port.ts";

/**
 * Properties that operations take under the same names. CloudFormation has given values the types of AWS's specification, and the
 * operations check what they are called with.
 */
export function pick<T>(properties: Properties, names: readonly (keyof T & string)[]): T {
  return parseSettings<T>(
    Object.fromEntries(names.filter((name) => properties[name] !== undefined).map((name) => [name, properties[name]])),
  );
}

function parseSettings<T>(settings: Readonly<Record<string, unknown>>): T {
  return settings as T;
}

export function textOf(properties: Properties, name: string): string | undefined {
  const value = properties[name];
  return value === undefined || value === null || typeof value === "object" ? undefined : String(value);
}

export function listOf(properties: Properties, name: string): readonly string[] {
  const value = properties[name];
  return Array.isArray(value) ? value.map(String) : [];
}

export function isRefusal(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof AwsError && codes.includes(error.code);
}

/** A delete of what is gone already has succeeded. */
export async function unlessGone(deletion: Promise<unknown>): Promise<void> {
  try {
    await deletion;
  } catch (error) {
    if (!isRefusal(error, "ResourceNotFoundException", "UserNotFoundException")) throw error;
  }
}
