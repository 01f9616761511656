import { badRequest } from "./errors.ts";
import { apiGatewayLimits as limits } from "./limits.ts";

/** A line of a file of API keys. */
export interface ImportedApiKey {
  readonly name: string;
  readonly value: string;
  readonly description?: string;
  readonly enabled: boolean;
  readonly planIds: readonly string[];
}

/**
 * Read API keys from CSV: a header with `name` and `key`, and perhaps `description`, `enabled` and `usageplanIds`, in any
 * order and case. Source: "API Gateway API key file format". Columns it does not know are told of.
 *
 * @throws {AwsError} BadRequestException, which does not tell a key
 */
export function parseApiKeysCsv(text: string): {
  readonly keys: readonly ImportedApiKey[];
  readonly warnings: readonly string[];
} {
  if (text.length > limits.definitionBytesMax) throw badRequest("The file of API keys is too large");
  const [header, ...rows] = parseCsv(text.replace(/^\uFEFF/, ""));
  const names = (header ?? []).map((name) => name.trim().toLowerCase());
  if (!names.includes("name") || !names.includes("key")) {
    throw badRequest("The header of a file of API keys must have the columns name and key");
  }
  const known = new Set(["name", "key", "description", "enabled", "usageplanids"]);
  const warnings = names.filter((name) => !known.has(name)).map((name) => `The column ${name} is ignored`);
  const keys = rows.map((row, index): ImportedApiKey => {
    const cell = (name: string) => row[names.indexOf(name)]?.trim() ?? "";
    if (cell("name") === "" || cell("key") === "") throw badRequest(`Line ${index + 2} has no name or no key`);
    const enabled = cell("enabled").toLowerCase();
    if (!["", "true", "false"].includes(enabled)) throw badRequest(`Line ${index + 2} has an invalid value of enabled`);
    const description = cell("description");
    const planIds = cell("usageplanids")
      .split(",")
      .map((id) => id.trim())
      .filter((id) => id !== "");
    const key = { name: cell("name"), value: cell("key"), enabled: enabled === "true", planIds };
    return description === "" ? key : Object.assign(key, { description });
  });
  return { keys, warnings };
}

/** RFC 4180. Lines without anything are left out. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  const endRow = () => {
    row.push(cell);
    cell = "";
    if (row.some((each) => each !== "")) rows.push(row);
    row = [];
  };
  for (let index = 0; index < text.length; index++) {
    const character = text[index] ?? "";
    if (quoted) {
      if (character !== '"') cell += character;
      else if (text[index + 1] === '"') cell += text[++index] ?? "";
      else quoted = false;
    } else if (character === '"' && cell === "") quoted = true;
    else if (character === ",") {
      row.push(cell);
      cell = "";
    } else if (character === "\n") endRow();
    else if (character !== "\r") cell += character;
  }
  endRow();
  return rows;
}
