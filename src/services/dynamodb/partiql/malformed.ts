import type { AwsError } from "../../../aws/error.ts";
import { validation } from "../errors.ts";

/** Where a token stands in its statement: line and column from 1, and its length in characters. */
export interface Place {
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

/** A statement that cannot be read. AWS tells no more of what is no token, and of literals that it cannot read. */
export function malformed(detail = ""): AwsError {
  return validation(`Statement wasn't well formed, can't be processed: ${detail}`);
}

/** A refusal that says where. */
export function refusedAt(message: string, { line, column, length }: Place): AwsError {
  return validation(`${message} at ${line}:${column}:${length}`);
}
