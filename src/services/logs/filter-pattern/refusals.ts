import { notImplemented } from "../../../aws/error.ts";
import { invalidParameter } from "../errors.ts";

export function invalidFilterPattern() {
  return invalidParameter("Invalid filter pattern");
}

export function unsupportedRegex() {
  return notImplemented("A regular expression (%…%) in filterPattern");
}
