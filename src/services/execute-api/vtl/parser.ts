import type { Branch, Expression, Macro, Node, Template } from "./ast.ts";
import { parseExpression, parseReference } from "./expression-parser.ts";
import { deeper, expect, isLetter, malformed, skipSpace, type Source, take, takeIdentifier } from "./source.ts";

/**
 * Parse a mapping template: the Velocity Template Language, with version 1.7's rules for spaces around directives.
 *
 * @throws {TemplateError} for what is malformed, and for directives that load other templates
 */
export function parseTemplate(text: string): Template {
  const macros = new Map<string, Macro>();
  const source: Source = { text, at: 0, depth: 0 };
  const { nodes, end } = parseNodes(source, macros);
  if (end !== undefined) throw malformed(source, `#${end} stands alone`);
  return { body: nodes, macros };
}

type Macros = Map<string, Macro>;

/** What ended a list of nodes; undefined at the end of the text. */
type End = "end" | "else" | "elseif" | undefined;

const special = /[$#\\]/g;

function parseNodes(source: Source, macros: Macros): { nodes: Node[]; end: End } {
  const nodes: Node[] = [];
  let pending = "";
  const { text } = source;
  const flush = () => {
    if (pending !== "") nodes.push({ kind: "text", text: pending });
    pending = "";
  };
  while (source.at < text.length) {
    special.lastIndex = source.at;
    const next = special.exec(text)?.index ?? text.length;
    pending += text.slice(source.at, next);
    source.at = next;
    if (next === text.length) break;
    if (text[next] === "\\") {
      pending += takeEscape(source, macros);
    } else if (text[next] === "$") {
      const reference = parseReference(source, textParser(macros));
      if (reference === undefined) {
        pending += "$";
        source.at = next + 1;
      } else {
        flush();
        nodes.push({ kind: "reference", reference });
      }
    } else {
      const directive = takeDirective(source);
      if (typeof directive === "string") {
        pending += directive;
      } else {
        if (directive.name === "set") pending = pending.replace(/[ \t]+$/, "");
        flush();
        if (directive.name === "end" || directive.name === "else" || directive.name === "elseif") {
          if (directive.name !== "elseif") skipLineEnd(source);
          return { nodes, end: directive.name };
        }
        const node = parseDirective(source, directive.name, directive.start, macros);
        if (node !== undefined) nodes.push(node);
      }
    }
  }
  flush();
  return { nodes, end: undefined };
}

/** Texts in quotation marks are templates of their own, which share the macros. */
function textParser(macros: Macros) {
  return (text: string, depth: number) => {
    const source: Source = { text, at: 0, depth };
    return deeper(source, () => {
      const { nodes, end } = parseNodes(source, macros);
      if (end !== undefined) throw malformed(source, `#${end} stands alone`);
      return nodes;
    });
  };
}

/** Backslashes: an odd number of them before a reference or directive makes it plain text, and each pair is one backslash. */
function takeEscape(source: Source, macros: Macros): string {
  const { text } = source;
  const start = source.at;
  while (text[source.at] === "\\") source.at++;
  const count = source.at - start;
  const at = source.at;
  const isReference = /^\$!?\{?[A-Za-z_]/.test(text.slice(at, at + 4));
  if (!isReference && !(text[at] === "#" && isDirective(text, at))) return text.slice(start, at);
  const backslashes = "\\".repeat(Math.floor(count / 2));
  if (count % 2 === 0) return backslashes;
  if (isReference) parseReference(source, textParser(macros));
  else source.at++;
  return backslashes + text.slice(at, source.at);
}

const known = new Set(["set", "if", "elseif", "else", "end", "foreach", "define", "macro", "break", "stop"]);

function isDirective(text: string, at: number): boolean {
  const name = /^#\{?(\w+)/.exec(text.slice(at, at + 12))?.[1] ?? "";
  return known.has(name);
}

/** Comments and plain text give text; everything else its name, and the place after it. */
function takeDirective(source: Source): string | { readonly name: string; readonly start: number } {
  const { text } = source;
  const start = source.at;
  if (take(source, "##")) {
    const end = /\r\n|\n|\r/g;
    end.lastIndex = source.at;
    const match = end.exec(text);
    source.at = match === null ? text.length : match.index + match[0].length;
    return "";
  }
  if (take(source, "#*")) {
    const end = text.indexOf("*#", source.at);
    if (end === -1) throw malformed(source, "a comment is not ended");
    source.at = end + 2;
    return "";
  }
  if (take(source, "#[[")) {
    const end = text.indexOf("]]#", source.at);
    if (end === -1) throw malformed(source, "#[[ is not ended");
    const plain = text.slice(source.at, end);
    source.at = end + 3;
    return plain;
  }
  source.at = start + 1;
  if (take(source, "@") && isLetter(text.charCodeAt(source.at)))
    throw malformed(source, "macros with a body are not built");
  source.at = start + 1;
  const isFormal = take(source, "{");
  const name = takeDirectiveName(source);
  if (name === undefined || (isFormal && !take(source, "}"))) {
    source.at = start + 1;
    return "#";
  }
  return { name, start };
}

/** A directive's name has no hyphen: `#end-#if(…)`. */
function takeDirectiveName(source: Source): string | undefined {
  const name = /^[A-Za-z_]\w*/.exec(source.text.slice(source.at, source.at + 200))?.[0];
  if (name !== undefined) source.at += name.length;
  return name;
}

function parseDirective(source: Source, name: string, start: number, macros: Macros): Node | undefined {
  const parseText = textParser(macros);
  switch (name) {
    case "set": {
      openParenthesis(source, name);
      skipSpace(source);
      const target = source.text[source.at] === "$" ? parseReference(source, parseText) : undefined;
      if (target === undefined) throw malformed(source, "#set needs a reference");
      expect(source, "=");
      const value = parseExpression(source, parseText);
      closeParenthesis(source);
      return { kind: "set", target, value };
    }
    case "if":
      return parseIf(source, macros);
    case "foreach":
      return parseForeach(source, macros);
    case "define": {
      openParenthesis(source, name);
      const target = takeVariable(source);
      closeParenthesis(source);
      return { kind: "define", name: target, body: parseBody(source, macros, name) };
    }
    case "macro":
      parseMacro(source, macros);
      return undefined;
    case "break":
    case "stop":
      return { kind: name };
    case "include":
    case "parse":
    case "evaluate":
      throw malformed(source, `#${name} is not available to mapping templates`);
    default:
      return parseCall(source, name, start, macros);
  }
}

function parseIf(source: Source, macros: Macros): Node {
  const branches: Branch[] = [];
  for (;;) {
    openParenthesis(source, "if");
    const condition = parseExpression(source, textParser(macros));
    closeParenthesis(source);
    const { nodes: body, end } = deeper(source, () => parseNodes(source, macros));
    branches.push({ condition, body });
    if (end === "elseif") continue;
    if (end === "end") return { kind: "if", branches, otherwise: [] };
    if (end === undefined) throw malformed(source, "#if is not ended");
    const otherwise = deeper(source, () => parseNodes(source, macros));
    if (otherwise.end !== "end") throw malformed(source, "#else is not ended");
    return { kind: "if", branches, otherwise: otherwise.nodes };
  }
}

function parseForeach(source: Source, macros: Macros): Node {
  openParenthesis(source, "foreach");
  const variable = takeVariable(source);
  skipSpace(source);
  if (takeIdentifier(source) !== "in") throw malformed(source, "in is expected");
  const items: Expression = parseExpression(source, textParser(macros));
  closeParenthesis(source);
  return { kind: "foreach", variable, source: items, body: parseBody(source, macros, "foreach") };
}

/** `#macro( name $a $b )`; arguments may be parted by commas. */
function parseMacro(source: Source, macros: Macros): void {
  openParenthesis(source, "macro");
  skipSpace(source);
  const name = takeIdentifier(source);
  if (name === undefined) throw malformed(source, "#macro needs a name");
  const parameters: string[] = [];
  for (;;) {
    skipSpace(source);
    take(source, ",");
    skipSpace(source);
    if (source.text[source.at] === ")") break;
    parameters.push(takeVariable(source));
  }
  closeParenthesis(source);
  const body = parseBody(source, macros, "macro");
  // As in Velocity, the first of a name stays.
  if (!macros.has(name)) macros.set(name, { parameters, body });
}

/** `#name( $a $b )` where a macro may have the name; anything else is plain text. */
function parseCall(source: Source, name: string, start: number, macros: Macros): Node {
  const plain: Node = { kind: "text", text: source.text.slice(start, source.at) };
  const end = source.at;
  skipSpaces(source);
  if (!take(source, "(")) {
    source.at = end;
    return plain;
  }
  const args: Expression[] = [];
  for (;;) {
    skipSpace(source);
    take(source, ",");
    skipSpace(source);
    if (take(source, ")")) break;
    args.push(parseExpression(source, textParser(macros)));
  }
  const written = source.text.slice(start, source.at);
  skipLineEnd(source);
  return { kind: "call", name, args, written };
}

function parseBody(source: Source, macros: Macros, name: string): Node[] {
  const { nodes, end } = deeper(source, () => parseNodes(source, macros));
  if (end !== "end") throw malformed(source, `#${name} is not ended`);
  return nodes;
}

function takeVariable(source: Source): string {
  skipSpace(source);
  const reference = source.text[source.at] === "$" ? parseReference(source, () => []) : undefined;
  if (reference === undefined || reference.steps.length > 0) throw malformed(source, "a variable is expected");
  return reference.name;
}

function openParenthesis(source: Source, name: string): void {
  skipSpaces(source);
  if (!take(source, "(")) throw malformed(source, `#${name} needs (`);
}

/** AWS: as in Velocity 1.7, spaces and the line end after a directive belong to it. */
function closeParenthesis(source: Source): void {
  expect(source, ")");
  skipLineEnd(source);
}

function skipLineEnd(source: Source): void {
  const rest = /[ \t]*(?:\r\n|\n|\r)/y;
  rest.lastIndex = source.at;
  const match = rest.exec(source.text);
  if (match !== null) source.at += match[0].length;
}

function skipSpaces(source: Source): void {
  while (source.text[source.at] === " " || source.text[source.at] === "\t") source.at++;
}
