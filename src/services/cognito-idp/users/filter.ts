import { invalidParameter } from "../errors.ts";
import { searchable, type Searchable } from "./users.ts";

/** What ListUsers looks for: `"AttributeName" Filter-Type "AttributeValue"`. */
export interface Filter {
  readonly attribute: Searchable;
  readonly by: "=" | "^=";
  readonly value: string;
}

/** Source: API reference, ListUsers. @throws InvalidParameterException */
export function parseFilter(text: string): Filter {
  const match = /^\s*(?:"([^"]+)"|([\w:]+))\s*(\^?=)\s*"((?:[^"\\]|\\.)*)"\s*$/su.exec(text);
  const name = match?.[1] ?? match?.[2];
  if (!match || name === undefined) throw invalidParameter(`Error while parsing filter: ${text.slice(0, 256)}`);
  const attribute = searchable.find((each) => each === name);
  if (attribute === undefined) throw invalidParameter(`Invalid search attribute: ${name}`);
  return {
    attribute,
    by: match[3] === "^=" ? "^=" : "=",
    value: (match[4] ?? "").replaceAll(/\\(.)/gsu, "$1"),
  };
}
