import { AwsError } from "../../aws/error.ts";
import type { Member, ServiceModel, Shape, StructureShape } from "../model.ts";
import { bodyDepthMax, malformed, setOwn, type Protocol } from "./protocol.ts";
import { parseScalar } from "./scalars.ts";
import { namespaceAttribute, writeXmlMembers, xmlStyleOf } from "./xml-values.ts";
import { escapeText } from "./xml.ts";

/** awsQuery: a form of dotted names in, XML envelopes out. */
export function createAwsQuery(model: ServiceModel): Protocol {
  const style = xmlStyleOf(model);
  const namespace = namespaceAttribute(model.xmlNamespace);
  return {
    parse: (operation, request) => {
      if (!operation.input) return {};
      const text = Buffer.from(request.body.buffer, request.body.byteOffset, request.body.length).toString("latin1");
      const tree = growTree(parseForm(request.query), parseForm(text));
      try {
        return readStructure(operation.input, tree);
      } catch (error) {
        if (!(error instanceof AwsError) || error.code !== "SerializationException") throw error;
        throw new AwsError("MalformedInput", 400, error.message);
      }
    },
    encode: (operation, output, requestId) => {
      const wrapper = operation.resultWrapper ?? `${operation.name}Result`;
      const inner = operation.output ? writeXmlMembers(operation.output, output, style) : "";
      const result = operation.output ? `<${wrapper}>${inner}</${wrapper}>` : "";
      return {
        status: 200,
        headers: { "content-type": "text/xml" },
        body:
          `<${operation.name}Response${namespace}>${result}` +
          `<ResponseMetadata><RequestId>${escapeText(requestId)}</RequestId></ResponseMetadata></${operation.name}Response>`,
      };
    },
    encodeError: (error, requestId) => {
      const shape = model.errors.get(error.code);
      const code = shape?.error?.code ?? error.code;
      const others: StructureShape | undefined = shape && {
        ...shape,
        members: shape.members.filter((member) => member.name.toLowerCase() !== "message"),
      };
      return {
        status: error.status,
        headers: { "content-type": "text/xml", ...error.headers },
        body:
          `<ErrorResponse${namespace}><Error><Type>${error.fault === "client" ? "Sender" : "Receiver"}</Type>` +
          `<Code>${escapeText(code)}</Code>${error.message === "" ? "" : `<Message>${escapeText(error.message)}</Message>`}` +
          `${others ? writeXmlMembers(others, error.members, style) : ""}</Error>` +
          `<RequestId>${escapeText(requestId)}</RequestId></ErrorResponse>`,
      };
    },
  };
}

/** More than any operation needs; the body's size is limited before. */
const parametersMax = 20_000;

/** The decoded pairs of `application/x-www-form-urlencoded` text. */
export function parseForm(text: string): [string, string][] {
  if (text === "") return [];
  const pairs: [string, string][] = [];
  for (const part of text.split("&")) {
    if (part === "") continue;
    if (pairs.length === parametersMax)
      throw new AwsError("MalformedQueryString", 400, "There are too many parameters");
    const equals = part.indexOf("=");
    pairs.push(
      equals < 0
        ? [decodeFormText(part), ""]
        : [decodeFormText(part.slice(0, equals)), decodeFormText(part.slice(equals + 1))],
    );
  }
  return pairs;
}

function decodeFormText(text: string): string {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!spaced.includes("%"))
    return /[\u0080-\uffff]/.test(spaced) ? Buffer.from(spaced, "latin1").toString("utf8") : spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    throw new AwsError("MalformedQueryString", 400, "The query string is not well-formed");
  }
}

/** Dotted names as a tree: `A.member.1.B=x` is A → member → 1 → B. */
interface Tree {
  value: string | undefined;
  readonly children: Map<string, Tree>;
}

function growTree(...forms: readonly [string, string][][]): Tree {
  const root: Tree = { value: undefined, children: new Map() };
  for (const [name, value] of forms.flat()) {
    const parts = name.split(".");
    if (parts.length > bodyDepthMax)
      throw new AwsError("MalformedQueryString", 400, "A parameter is nested too deeply");
    let node = root;
    for (const part of parts) {
      let next = node.children.get(part);
      if (!next) {
        next = { value: undefined, children: new Map() };
        node.children.set(part, next);
      }
      node = next;
    }
    node.value = value;
  }
  return root;
}

function readStructure(shape: StructureShape, tree: Tree): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const member of shape.members) {
    const name = member.locationName ?? member.name;
    const value = readMember(member, name, tree);
    if (value !== undefined) result[member.name] = value;
  }
  return result;
}

function readMember(member: Member, name: string, parent: Tree): unknown {
  const { shape } = member;
  const node = parent.children.get(name);
  if (member.flattened && shape.type === "list") {
    const itemName = shape.member.locationName;
    const renamed = itemName === undefined ? undefined : parent.children.get(itemName);
    return (node && readList(shape.member, node)) ?? (renamed && readList(shape.member, renamed));
  }
  return node && readNode(member, shape, node);
}

function readNode(member: Member, shape: Shape, node: Tree): unknown {
  switch (shape.type) {
    case "structure":
      return node.children.size === 0 && node.value === undefined ? undefined : readStructure(shape, node);
    case "list": {
      if (member.flattened) return readList(shape.member, node);
      const items = node.children.get(shape.member.locationName ?? "member");
      // Clients that do not know the item's name call it `member`; an empty list is the bare name with no value.
      return readList(shape.member, items ?? node.children.get("member") ?? node);
    }
    case "map": {
      const entries = member.flattened ? node : (node.children.get("entry") ?? node);
      const result: Record<string, unknown> = {};
      for (const entry of inOrder(entries)) {
        const key = entry.children.get(shape.key.locationName ?? "key")?.value;
        const value = entry.children.get(shape.value.locationName ?? "value");
        if (key === undefined) throw malformed("An entry of a map has no key");
        if (value) setOwn(result, key, readNode(shape.value, shape.value.shape, value));
      }
      return result;
    }
    default:
      if (node.value === undefined) throw malformed("Unexpected complex element termination");
      if (node.value === "" && shape.type !== "string" && shape.type !== "blob") return undefined;
      return parseScalar(shape, shape.type === "string" ? node.value : node.value.trim());
  }
}

function readList(item: Member, node: Tree): unknown[] {
  return inOrder(node).map((child) => readNode(item, item.shape, child) ?? null);
}

/** Numbered children by their numbers; gaps close, as AWS closes them. */
function inOrder(node: Tree): Tree[] {
  return [...node.children]
    .filter(([name]) => /^\d{1,9}$/.test(name))
    .toSorted(([left], [right]) => Number(left) - Number(right))
    .map(([, child]) => child);
}
