import { type BodyText, compileBodyText } from "./json-path.ts";

/**
 * Reads something of a function's answer for a header. A function that fails with JSON in its message tells of the error's members
 * too: `errorMessage.trace.line`.
 *
 * Source: "Handle Lambda errors in API Gateway", custom errors.
 */
export function compileAnswerText(path: string): BodyText {
  const read = compileBodyText(path);
  const below = /^(?:\$\.)?errorMessage\.(.+)$/.exec(path)?.[1];
  if (below === undefined) return read;
  const readMessage = compileBodyText("errorMessage");
  const readBelow = compileBodyText(below);
  return (body) => {
    const found = read(body);
    if (found !== undefined) return found;
    const message = readMessage(body);
    return message === undefined ? undefined : readBelow(Buffer.from(message, "utf8"));
  };
}
