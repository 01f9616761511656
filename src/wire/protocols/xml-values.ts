import type { Member, ServiceModel, StructureShape, XmlNamespace } from "../model.ts";
import { asRecord, malformed, setOwn } from "./protocol.ts";
import { entriesOf, formatScalar, isInBody, isPresent, parseScalar } from "./scalars.ts";
import { escapeAttribute, escapeText, type XmlNode } from "./xml.ts";

/** XML elements ↔ a model's values, for restXml and for the answers of the query protocol. */

/** The members of a structure that live in an element. Bound members are skipped. */
export function readXmlStructure(shape: StructureShape, node: XmlNode): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const member of shape.members) {
    if (member.location !== undefined) continue;
    const name = member.locationName ?? member.name;
    if (member.xmlAttribute) {
      const text = node.attributes.get(name) ?? attributeByLocalName(node, name);
      if (text !== undefined && isScalarMember(member)) result[member.name] = parseScalar(member.shape, text);
      continue;
    }
    const value = readXmlMember(member, node, name);
    if (value !== undefined) result[member.name] = value;
  }
  if (shape.union && Object.keys(result).length > 1) {
    throw malformed(`Only one member of the union ${shape.name} may be set`);
  }
  return result;
}

function attributeByLocalName(node: XmlNode, name: string): string | undefined {
  const local = name.slice(name.indexOf(":") + 1);
  for (const [key, value] of node.attributes) if (key.slice(key.indexOf(":") + 1) === local) return value;
  return undefined;
}

function readXmlMember(member: Member, parent: XmlNode, name: string): unknown {
  const { shape } = member;
  if (member.flattened && shape.type === "list") {
    const item = shape.member;
    const itemName = item.locationName !== undefined && item.locationName !== "member" ? item.locationName : name;
    const nodes = parent.children.filter((child) => child.name === name || child.name === itemName);
    return nodes.length > 0 ? nodes.map((child) => readXmlValue(item, child)) : undefined;
  }
  if (member.flattened && shape.type === "map") {
    const nodes = parent.children.filter((child) => child.name === name);
    return nodes.length > 0 ? readEntries(shape.key, shape.value, nodes) : undefined;
  }
  const node = parent.children.find((child) => child.name === name);
  return node && readXmlValue(member, node);
}

/** The value of one element. */
export function readXmlValue(member: Member, node: XmlNode): unknown {
  const { shape } = member;
  switch (shape.type) {
    case "structure":
      return readXmlStructure(shape, node);
    case "list": {
      const item = shape.member;
      const name = item.locationName ?? "member";
      return node.children.filter((child) => child.name === name).map((child) => readXmlValue(item, child));
    }
    case "map":
      return readEntries(
        shape.key,
        shape.value,
        node.children.filter((child) => child.name === "entry"),
      );
    default:
      if (node.children.length > 0) throw malformed(`${node.name} may not have elements within`);
      return parseScalar(shape, shape.type === "string" ? node.text : node.text.trim());
  }
}

function readEntries(key: Member, value: Member, nodes: readonly XmlNode[]): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  const keyName = key.locationName ?? "key";
  const valueName = value.locationName ?? "value";
  for (const node of nodes) {
    const keyNode = node.children.find((child) => child.name === keyName);
    const valueNode = node.children.find((child) => child.name === valueName);
    if (keyNode && valueNode) setOwn(result, keyNode.text, readXmlValue(value, valueNode));
  }
  return result;
}

function isScalarMember(member: Member): member is Member & { shape: Extract<Member["shape"], { enum: unknown }> } {
  return member.shape.type !== "structure" && member.shape.type !== "list" && member.shape.type !== "map";
}

/** How a service writes what is not in its model. */
export interface XmlStyle {
  /** S3 writes milliseconds even when they are zero. */
  readonly milliseconds: boolean;
  /** Made once for each structure, and each member by the name of its element. */
  readonly insides: WeakMap<StructureShape, Write>;
  readonly elements: WeakMap<Member, Map<string, Write>>;
}

type Write = (value: unknown) => string;

export function xmlStyleOf(model: ServiceModel): XmlStyle {
  const milliseconds = model.name === "s3" || model.name === "cloudformation";
  return { milliseconds, insides: new WeakMap(), elements: new WeakMap() };
}

export function namespaceAttribute(namespace: XmlNamespace | undefined): string {
  if (!namespace) return "";
  const name = namespace.prefix === undefined ? "xmlns" : `xmlns:${namespace.prefix}`;
  return ` ${name}="${escapeAttribute(namespace.uri)}"`;
}

/** The inside of a structure's element: its members that are neither bound elsewhere nor attributes. */
export function writeXmlMembers(shape: StructureShape, value: unknown, style: XmlStyle): string {
  return insideOf(shape, style)(value);
}

function insideOf(shape: StructureShape, style: XmlStyle): Write {
  let write = style.insides.get(shape);
  if (!write) style.insides.set(shape, (write = compileInside(shape, style)));
  return write;
}

function compileInside(shape: StructureShape, style: XmlStyle): Write {
  // Looked up when it runs: shapes may be within themselves.
  let members: readonly { readonly name: string; readonly write: Write }[] | undefined;
  return (value) => {
    members ??= shape.members
      .filter((member) => isInBody(member) && !member.xmlAttribute)
      .map((member) => ({ name: member.name, write: elementOf(member, member.locationName ?? member.name, style) }));
    const source = asRecord(value);
    let xml = "";
    for (const { name, write } of members) {
      const item = source[name];
      if (isPresent(item)) xml += write(item);
    }
    return xml;
  };
}

export function writeXmlAttributes(shape: StructureShape, value: unknown, style: XmlStyle): string {
  let attributes = "";
  for (const member of shape.members) {
    if (!member.xmlAttribute) continue;
    const item = asRecord(value)[member.name];
    if (isPresent(item))
      attributes += ` ${member.locationName ?? member.name}="${escapeAttribute(text(member, item, style))}"`;
  }
  return attributes;
}

/** One member as an element of this name, or as many where the list or map is flattened. */
export function writeXmlMember(member: Member, value: unknown, name: string, style: XmlStyle): string {
  return elementOf(member, name, style)(value);
}

function elementOf(member: Member, name: string, style: XmlStyle): Write {
  let byName = style.elements.get(member);
  if (!byName) style.elements.set(member, (byName = new Map()));
  let write = byName.get(name);
  if (!write) byName.set(name, (write = compileElement(member, name, style)));
  return write;
}

function compileElement(member: Member, name: string, style: XmlStyle): Write {
  const { shape } = member;
  const namespace = namespaceAttribute(member.xmlNamespace);
  const [start, end] = [`<${name}${namespace}>`, `</${name}>`];
  switch (shape.type) {
    case "structure": {
      const inside = insideOf(shape, style);
      if (!shape.members.some((each) => each.xmlAttribute)) return (value) => start + inside(value) + end;
      return (value) => `<${name}${namespace}${writeXmlAttributes(shape, value, style)}>${inside(value)}${end}`;
    }
    case "list": {
      const item = shape.member;
      const itemName = member.flattened ? name : (item.locationName ?? "member");
      return (value) => {
        if (!Array.isArray(value)) throw new TypeError(`The member ${member.name} is a list`);
        const write = elementOf(item, itemName, style);
        let items = "";
        for (const each of value as readonly unknown[]) if (isPresent(each)) items += write(each);
        return member.flattened ? items : start + items + end;
      };
    }
    case "map": {
      const entryName = member.flattened ? name : "entry";
      const entryStart = `<${entryName}${member.flattened ? namespace : ""}>`;
      const { key, value: item } = shape;
      return (value) => {
        const writeKey = elementOf(key, key.locationName ?? "key", style);
        const writeItem = elementOf(item, item.locationName ?? "value", style);
        const entries = entriesOf(value).map(
          ([each, its]) => `${entryStart}${writeKey(each)}${isPresent(its) ? writeItem(its) : ""}</${entryName}>`,
        );
        return member.flattened ? entries.join("") : start + entries.join("") + end;
      };
    }
    default:
      return (value) => start + escapeText(text(member, value, style)) + end;
  }
}

function text(member: Member, value: unknown, style: XmlStyle): string {
  if (style.milliseconds && value instanceof Date && (member.timestampFormat ?? "iso8601") === "iso8601") {
    return value.toISOString();
  }
  return formatScalar(member, value, "iso8601");
}
