import { AwsError } from "../../../aws/error.ts";

export function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value);
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : undefined;
}

export function isAwsError(error: unknown, code: string): boolean {
  return error instanceof AwsError && error.code === code;
}
