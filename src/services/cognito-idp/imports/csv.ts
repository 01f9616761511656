import type { User, Pool } from "../model.ts";
import { schemaOf } from "../schema.ts";

/**
 * The columns of a file of users: all attributes of the pool, the name, and whether codes are asked for.
 *
 * Source: API reference and AWS CLI's example, GetCSVHeader.
 */
export function columnsOf(pool: Pool): readonly string[] {
  const names = schemaOf(pool).map(({ Name = "" }) => Name);
  return [
    ...names.filter((name) => name !== "sub" && name !== "identities"),
    "cognito:mfa_enabled",
    "cognito:username",
  ];
}

/**
 * The values of a line. A backslash makes the next character one of the value; a value may also be in double quotes, which are doubled
 * within. Source: developer guide, "Formatting the CSV file"; RFC 4180.
 *
 * Undefined for a line that ends within quotes, or has something behind them.
 */
export function parseLine(line: string): readonly string[] | undefined {
  const values: string[] = [];
  let value = "";
  let quoted: "no" | "open" | "closed" = "no";
  for (let at = 0; at < line.length; at += 1) {
    const character = line.charAt(at);
    if (quoted === "open") {
      if (character !== '"') value += character;
      else if (line.charAt(at + 1) === '"') value += line.charAt((at += 1));
      else quoted = "closed";
    } else if (character === ",") {
      values.push(value);
      value = "";
      quoted = "no";
    } else if (quoted === "closed") return undefined;
    else if (character === "\\") value += line.charAt((at += 1));
    else if (character === '"' && value === "") quoted = "open";
    else value += character;
  }
  return quoted === "open" ? undefined : [...values, value];
}

/** Which value of a line is which. Undefined when the header has not exactly the pool's columns, in whatever order. */
export function parseHeader(header: string, columns: readonly string[]): readonly string[] | undefined {
  const names = parseLine(header)?.map((name) => name.trim());
  const isComplete = names?.length === columns.length && columns.every((column) => names.includes(column));
  return isComplete ? names : undefined;
}

/** What a line says of a user. */
export interface Row {
  readonly username: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly mfa: User["mfa"];
}

/** The row of a line, or why there is none. */
export function parseRow(line: string, names: readonly string[]): Row | { readonly problem: string } {
  const values = parseLine(line);
  if (values?.length !== names.length) return { problem: "The number of values is not that of the header." };
  const attributes: Record<string, string> = {};
  let username = "";
  let mfa = "";
  for (const [at, name] of names.entries()) {
    const value = (values[at] ?? "").trim();
    if (name === "cognito:username") username = value;
    else if (name === "cognito:mfa_enabled") mfa = value.toLowerCase();
    else if (value === "") continue;
    else attributes[name] = name.endsWith("_verified") ? value.toLowerCase() : value;
  }
  if (mfa !== "true" && mfa !== "false" && mfa !== "") return { problem: "cognito:mfa_enabled must be true or false." };
  if (mfa === "true" && attributes["phone_number"] === undefined) {
    return { problem: "cognito:mfa_enabled is true, and there is no phone_number." };
  }
  return { username, attributes, mfa: mfa === "true" ? ["SMS_MFA"] : [] };
}
