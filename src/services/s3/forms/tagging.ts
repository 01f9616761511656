import { parseXml, type XmlNode } from "../../../wire/protocols/xml.ts";
import { malformedXml } from "../errors.ts";

/** `<Tagging>` of a form, as `Tagging` of PutObject: `k1=v1&k2=v2`. @throws {AwsError} MalformedXML */
export function parseTaggingXml(text: string): string {
  const root = read(text);
  const [set] = childrenOf(root, "TagSet");
  if (root.name !== "Tagging" || !set) throw malformedXml();
  const pairs = childrenOf(set, "Tag").map((tag): [string, string] => {
    const [[key], [value]] = [childrenOf(tag, "Key"), childrenOf(tag, "Value")];
    if (!key || !value) throw malformedXml();
    return [key.text, value.text];
  });
  return new URLSearchParams(pairs).toString();
}

function read(text: string): XmlNode {
  try {
    return parseXml(text);
  } catch {
    throw malformedXml();
  }
}

function childrenOf(node: XmlNode, name: string): readonly XmlNode[] {
  return node.children.filter((child) => child.name === name);
}
