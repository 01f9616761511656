import { templateError } from "./template-error.ts";

/** A piece of a `Fn::Sub` text: literal text, or the name between `${` and `}`. */
export type SubPart = { readonly text: string } | { readonly variable: string };

/** Split a `Fn::Sub` text into its parts. `${!Name}` is the literal `${Name}`. */
export function parseSub(text: string): readonly SubPart[] {
  const parts: SubPart[] = [];
  let from = 0;
  for (const match of text.matchAll(/\$\{([^}]*)\}/g)) {
    if (match.index > from) parts.push({ text: text.slice(from, match.index) });
    from = match.index + match[0].length;
    const name = match[1] ?? "";
    if (name.startsWith("!")) parts.push({ text: `\${${name.slice(1)}}` });
    else parts.push({ variable: checkedName(name.trim()) });
  }
  if (from < text.length) parts.push({ text: text.slice(from) });
  return parts;
}

function checkedName(name: string): string {
  if (!/^[A-Za-z0-9_.:]+$/.test(name)) {
    throw templateError(
      "variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons",
    );
  }
  return name;
}
