import { PayloadError, TemplateError } from "./errors.ts";
import { parseJson } from "./json.ts";
import { type Run, spend, spendText } from "./run.ts";
import { textOf } from "./text.ts";
import type { HostObject, Value } from "./values.ts";

/**
 * `$util`. Source: "Variables for data transformations for API Gateway", utility variables. Nothing of nothing is nothing;
 * what cannot be decoded is a TemplateError.
 */
export const utilObject: HostObject = {
  kind: "host",
  property: () => undefined,
  call: (name, args, run) => {
    const apply = functions.get(name);
    if (apply === undefined) throw new TemplateError(`$util.${name}() does not exist`);
    const [value] = args;
    if (value === undefined || value === null) return undefined;
    return apply(textOf(value, run), run);
  },
  text: () => "",
};

const functions: ReadonlyMap<string, (text: string, run: Run) => Value> = new Map(
  Object.entries<(text: string, run: Run) => Value>({
    escapeJavaScript: (text, run) => spendText(run, escapeJavaScript(text)),
    parseJson: (text, run) => {
      spend(run, Math.ceil(text.length / 64));
      try {
        return parseJson(text);
      } catch (error) {
        throw error instanceof PayloadError ? new TemplateError(`$util.parseJson(): ${error.message}`) : error;
      }
    },
    urlEncode: (text, run) => spendText(run, urlEncode(text)),
    urlDecode: (text, run) => spendText(run, urlDecode(text)),
    base64Encode: (text, run) => spendText(run, Buffer.from(text, "utf8").toString("base64")),
    base64Decode: (text, run) => spendText(run, Buffer.from(text, "base64").toString("utf8")),
  }),
);

const escapes = new Map([
  ["'", "\\'"],
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["/", "\\/"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

/** As Apache Commons escapes for JavaScript: single quotes and slashes too, and everything that is not ASCII. */
function escapeJavaScript(text: string): string {
  return text.replaceAll(
    // eslint-disable-next-line no-control-regex -- these are what is escaped
    /['"\\/\u0000-\u001f\u007f-\uffff]/g,
    (character) =>
      escapes.get(character) ?? `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`,
  );
}

/** `application/x-www-form-urlencoded`, as Java's URLEncoder. */
function urlEncode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll("%20", "+")
    .replaceAll(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function urlDecode(text: string): string {
  const spaced = text.replaceAll("+", " ");
  if (/%(?![0-9A-Fa-f]{2})/.test(spaced)) throw new TemplateError("$util.urlDecode(): a percent sign stands alone");
  return spaced.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (encoded) =>
    Buffer.from(encoded.replaceAll("%", ""), "hex").toString("utf8"),
  );
}
