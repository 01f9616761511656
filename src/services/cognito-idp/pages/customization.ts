import type { Reader } from "../../../kernel/store/store.ts";
import { inPool } from "../model.ts";

/** The look that SetUICustomization gives the pages of a client, or of all (`ALL`). */
export interface Customization {
  readonly v: 1;
  readonly css?: string;
  readonly cssVersion: string;
  readonly image?: { readonly bytes: Uint8Array; readonly type: "image/png" | "image/jpeg" };
  readonly createdAt: number;
  readonly updatedAt: number;
}

export function customizationKey(poolId: string, clientId: string) {
  return inPool("customization", poolId, clientId);
}

/** A client's own, else that of all. */
export async function findCustomization(
  reader: Reader,
  poolId: string,
  clientId: string,
): Promise<Customization | undefined> {
  const [own, all] = await reader.getMany<Customization>([
    customizationKey(poolId, clientId),
    customizationKey(poolId, "ALL"),
  ]);
  return own ?? all;
}

/** Classes that may be styled. Source: "Customizing hosted UI (classic) branding" in the developer guide. */
const classes = [
  "background-customizable",
  "banner-customizable",
  "errorMessage-customizable",
  "idpButton-customizable",
  "idpDescription-customizable",
  "inputField-customizable",
  "label-customizable",
  "legalText-customizable",
  "logo-customizable",
  "passwordCheck-notValid-customizable",
  "passwordCheck-valid-customizable",
  "redirect-customizable",
  "socialButton-customizable",
  "submitButton-customizable",
  "textDescription-customizable",
];

const selector = new RegExp(`^\\.(?:${classes.join("|")})(?::(?:hover|focus|disabled|active))?$`);
/** Nothing that loads, runs or covers anything: words, numbers, colours and lists of them. */
const value = /^[\w\s.,#%()'"!/+-]+$/;
const forbidden = /url\s*\(|src\s*\(|expression|import|javascript|attr\s*\(|image|\/\*|\\|@|[<>]/i;
const property = /^(?:-webkit-|-moz-)?[a-z-]{2,40}$/;
const forbiddenProperties = /^(?:position|z-index|content|behavior|pointer-events|all|.*image.*|cursor|filter)$/;

/**
 * Checks a style sheet, and writes it anew from what was understood: nothing else of it is ever sent.
 *
 * @returns what is wrong, or the style sheet
 */
export function sanitizeCss(text: string): { readonly css: string } | { readonly problem: string } {
  const css: string[] = [];
  const rest = text.replaceAll(/\/\*[^]*?\*\//g, " ");
  const rule = /\s*([^{}]+)\{([^{}]*)\}/gy;
  let end = 0;
  for (let match = rule.exec(rest); match !== null; match = rule.exec(rest)) {
    end = rule.lastIndex;
    const selectors = (match[1] ?? "").split(",").map((each) => each.trim());
    const bad = selectors.find((each) => !selector.test(each));
    if (bad !== undefined) return { problem: `Invalid class name: ${bad.slice(0, 64)}` };
    const declarations: string[] = [];
    for (const declaration of (match[2] ?? "").split(";")) {
      if (declaration.trim() === "") continue;
      const colon = declaration.indexOf(":");
      const name = declaration.slice(0, Math.max(0, colon)).trim().toLowerCase();
      const given = declaration.slice(colon + 1).trim();
      if (!property.test(name) || forbiddenProperties.test(name)) {
        return { problem: `Invalid CSS property: ${declaration.trim().slice(0, 64)}` };
      }
      if (!value.test(given) || forbidden.test(given)) return { problem: `Invalid CSS value of ${name}` };
      declarations.push(`${name}: ${given}`);
    }
    css.push(`${selectors.join(", ")} { ${declarations.join("; ")} }`);
  }
  return rest.slice(end).trim() === "" ? { css: css.join("\n") } : { problem: "The CSS could not be parsed" };
}

/** What an image is, by its first bytes; AWS takes PNG and JPEG. */
export function imageTypeOf(bytes: Uint8Array): "image/png" | "image/jpeg" | undefined {
  const head = Buffer.from(bytes.subarray(0, 8)).toString("hex");
  if (head === "89504e470d0a1a0a") return "image/png";
  return head.startsWith("ffd8ff") ? "image/jpeg" : undefined;
}
