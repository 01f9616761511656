import { bodyDepthMax, malformed } from "./protocol.ts";

/** An XML element. Prefixes are dropped from element names; attributes keep theirs. Declarations of namespaces are dropped. */
export interface XmlNode {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlNode[];
  /** The character data directly within, joined. */
  text: string;
}

const none: ReadonlyMap<string, string> = new Map();

/**
 * Parse a document for its one root element. A small, strict subset: no document type, no entities but the five
 * predefined and character references, so nothing can expand, be fetched, or nest without end.
 *
 * @throws the SerializationException when it is not well-formed
 */
export function parseXml(text: string): XmlNode {
  const stack: XmlNode[] = [];
  let root: XmlNode | undefined;
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  while (at < text.length) {
    if (text.charCodeAt(at) !== 60) {
      const end = text.indexOf("<", at);
      const stop = end < 0 ? text.length : end;
      const parent = stack.at(-1);
      const data = text.slice(at, stop);
      if (parent) parent.text += decodeEntities(data);
      else if (data.trim() !== "") throw malformed("There is text outside the root element");
      at = stop;
    } else if (text.startsWith("<!--", at)) {
      at = after(text, "-->", at + 4);
    } else if (text.startsWith("<?", at)) {
      at = after(text, "?>", at + 2);
    } else if (text.startsWith("<![CDATA[", at)) {
      const end = after(text, "]]>", at + 9);
      const parent = stack.at(-1);
      if (!parent) throw malformed("There is text outside the root element");
      parent.text += text.slice(at + 9, end - 3);
      at = end;
    } else if (text.startsWith("<!", at)) {
      throw malformed("Document type declarations are not allowed");
    } else if (text.charCodeAt(at + 1) === 47) {
      const end = after(text, ">", at + 2);
      const node = stack.pop();
      if (!node || localName(text.slice(at + 2, end - 1).trim()) !== node.name)
        throw malformed("An end tag does not match");
      at = end;
    } else {
      const tag = parseStartTag(text, at);
      const parent = stack.at(-1);
      if (parent) parent.children.push(tag.node);
      else if (root) throw malformed("There is more than one root element");
      else root = tag.node;
      if (!tag.empty) {
        stack.push(tag.node);
        if (stack.length > bodyDepthMax) throw malformed("The request is nested too deeply");
      }
      at = tag.end;
    }
  }
  if (!root || stack.length > 0) throw malformed("The document ends early");
  return root;
}

const namePattern = /[A-Za-z_:\u0080-\uffff][\w:.\-\u0080-\uffff]*/y;
const attributePattern = /\s+([A-Za-z_:\u0080-\uffff][\w:.\-\u0080-\uffff]*)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
const tagEndPattern = /\s*(\/?)>/y;

function parseStartTag(text: string, at: number): { node: XmlNode; end: number; empty: boolean } {
  const name = matchAt(namePattern, text, at + 1)?.[0];
  if (name === undefined) throw malformed("A tag has no name");
  let position = at + 1 + name.length;
  let attributes: Map<string, string> | undefined;
  for (;;) {
    const attribute = matchAt(attributePattern, text, position);
    if (!attribute) break;
    const key = attribute[1] ?? "";
    if (key !== "xmlns" && !key.startsWith("xmlns:")) {
      attributes ??= new Map();
      attributes.set(key, decodeEntities(attribute[2] ?? attribute[3] ?? ""));
    }
    position += attribute[0].length;
  }
  const close = matchAt(tagEndPattern, text, position);
  if (!close) throw malformed("A tag is not well-formed");
  const node: XmlNode = { name: localName(name), attributes: attributes ?? none, children: [], text: "" };
  return { node, end: position + close[0].length, empty: close[1] === "/" };
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function after(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  if (at < 0) throw malformed("The document ends early");
  return at + mark.length;
}

function localName(name: string): string {
  const colon = name.indexOf(":");
  return colon < 0 ? name : name.slice(colon + 1);
}

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&([^;&]{0,12})(;?)/g, (_whole, name: string, end: string) => {
    const known = Object.hasOwn(entities, name) ? entities[name] : undefined;
    const point = /^#x[\da-fA-F]{1,6}$/.test(name)
      ? Number.parseInt(name.slice(2), 16)
      : /^#\d{1,7}$/.test(name)
        ? Number(name.slice(1))
        : -1;
    if (end !== ";" || (known === undefined && (point < 0 || point > 0x10ffff)))
      throw malformed("An entity is not known");
    return known ?? String.fromCodePoint(point);
  });
}

/** Text as element content. Control characters that XML 1.0 cannot say go as references, as AWS writes them. */
export function escapeText(text: string): string {
  // oxlint-disable-next-line no-control-regex
  if (!/[&<>\u0000-\u0008\u000b-\u001f\u0085\u2028]/.test(text)) return text;
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[&<>\u0000-\u0008\u000b-\u001f\u0085\u2028]/g, (found) => {
    if (found === "&") return "&amp;";
    if (found === "<") return "&lt;";
    if (found === ">") return "&gt;";
    return `&#x${found.charCodeAt(0).toString(16).toUpperCase()};`;
  });
}

export function escapeAttribute(text: string): string {
  return escapeText(text).replaceAll('"', "&quot;").replaceAll("\n", "&#xA;").replaceAll("\t", "&#x9;");
}
