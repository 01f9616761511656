import { AwsError } from "../../aws/error.ts";
import type { Member, OperationModel, ServiceModel } from "../model.ts";
import { encodeEvents } from "./event-stream.ts";
import { readPayload, writePayload } from "./payload.ts";
import { asRecord, type Protocol, type WireRequest, type WireResponse } from "./protocol.ts";
import { createRestBindings, type RestBindings } from "./rest-bindings.ts";
import { entriesOf, isInBody, isPresent } from "./scalars.ts";
import {
  namespaceAttribute,
  readXmlStructure,
  readXmlValue,
  writeXmlAttributes,
  writeXmlMember,
  writeXmlMembers,
  xmlStyleOf,
  type XmlStyle,
} from "./xml-values.ts";
import { escapeText, parseXml, type XmlNode } from "./xml.ts";

const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** restXml: members in the path, query, headers and an XML body. S3's errors have a shape of their own. */
export function createRestXml(model: ServiceModel): Protocol {
  const style = xmlStyleOf(model);
  const bindings = createRestBindings();
  return {
    parse: (operation, request) => {
      const input: Record<string, unknown> = {};
      readBody(operation, request, input);
      try {
        bindings.read(operation, request, input);
      } catch (error) {
        throw asCode(error, "InvalidArgument");
      }
      return input;
    },
    encode: (operation, output) => {
      const headers: Record<string, string> = {};
      const shape = operation.output;
      if (!shape) return { status: operation.responseCode, headers, body: "" };
      const status = bindings.write(shape, output, headers) ?? operation.responseCode;
      const { contentType, body } = writeBody(model, operation, output, style);
      if (contentType) headers["content-type"] ??= contentType;
      return { status, headers, body: status === 204 || status === 304 ? "" : body };
    },
    encodeError: (error, requestId) =>
      model.name === "s3"
        ? encodeS3Error(error, requestId)
        : encodeXmlError(model, error, requestId, { style, bindings }),
  };
}

function asCode(error: unknown, code: string): unknown {
  return error instanceof AwsError && error.code === "SerializationException"
    ? new AwsError(code, 400, error.message)
    : error;
}

function readBody(operation: OperationModel, request: WireRequest, input: Record<string, unknown>): void {
  const shape = operation.input;
  if (!shape) return;
  const { payload } = shape;
  if (payload && (payload.shape.type === "blob" || payload.shape.type === "string")) {
    const value = readPayload(payload, request);
    if (value !== undefined) input[payload.name] = value;
    return;
  }
  if (!payload && !shape.members.some((member) => member.location === undefined)) return;
  const root = parseBody(request.body);
  if (!root) return;
  try {
    if (payload) input[payload.name] = readXmlValue(payload, root);
    else Object.assign(input, readXmlStructure(shape, root));
  } catch (error) {
    throw asCode(error, "MalformedXML");
  }
}

function parseBody(body: Uint8Array): XmlNode | undefined {
  const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString("utf8");
  if (text.trim() === "") return undefined;
  try {
    return parseXml(text);
  } catch {
    throw new AwsError(
      "MalformedXML",
      400,
      "The XML you provided was not well-formed or did not validate against our published schema",
    );
  }
}

function writeBody(
  model: ServiceModel,
  operation: OperationModel,
  output: Record<string, unknown>,
  style: XmlStyle,
): { readonly contentType: string | undefined; readonly body: WireResponse["body"] } {
  const shape = operation.output;
  if (!shape) return { contentType: undefined, body: "" };
  const { payload } = shape;
  if (!payload) {
    if (!shape.members.some(isInBody)) return { contentType: undefined, body: "" };
    const name = shape.locationName ?? shape.name;
    const namespace = namespaceAttribute(shape.xmlNamespace ?? model.xmlNamespace);
    const attributes = writeXmlAttributes(shape, output, style);
    if (operation.unwrapped) {
      const text = shape.members.map((member) => output[member.name]).find(isPresent);
      const content = escapeText(String(text ?? ""));
      return { contentType: "application/xml", body: `${declaration}<${name}${namespace}>${content}</${name}>` };
    }
    return {
      contentType: "application/xml",
      body: `${declaration}<${name}${namespace}${attributes}>${writeXmlMembers(shape, output, style)}</${name}>`,
    };
  }
  const value = output[payload.name];
  if (payload.shape.type === "structure" && payload.shape.eventStream) {
    const write = (member: Member, event: unknown) => writeXmlMember(member, event, elementName(model, member), style);
    return {
      contentType: "application/vnd.amazon.eventstream",
      body: encodeEvents(payload.shape, value, "text/xml", write),
    };
  }
  if (payload.shape.type === "blob" || payload.shape.type === "string") return writePayload(payload, value);
  if (!isPresent(value)) return { contentType: undefined, body: "" };
  const spaced = payload.xmlNamespace ? payload : { ...payload, xmlNamespace: model.xmlNamespace };
  return {
    contentType: "application/xml",
    body: declaration + writeXmlMember(spaced, value, elementName(model, payload), style),
  };
}

/**
 * A payload is named by its member, where that has a name for it, then by its shape. Models give every payload its
 * member's own name as well: only S3 writes that one.
 */
function elementName(model: ServiceModel, member: Member): string {
  const { shape } = member;
  if (member.locationName !== undefined && member.locationName !== member.name) return member.locationName;
  const named = shape.type === "structure" ? shape.locationName : undefined;
  return named ?? (model.name === "s3" ? member.name : shape.name);
}

function encodeXmlError(
  model: ServiceModel,
  error: AwsError,
  requestId: string,
  { style, bindings }: { readonly style: XmlStyle; readonly bindings: RestBindings },
): WireResponse {
  const shape = model.errors.get(error.code);
  const headers: Record<string, string> = { "content-type": "application/xml", ...error.headers };
  const name = shape?.memberByName.has("message") ? "message" : "Message";
  const members = error.message === "" ? error.members : { ...error.members, [name]: error.message };
  if (shape) bindings.write(shape, members, headers);
  const inner = shape ? writeXmlMembers(shape, members, style) : "";
  const message =
    error.message === "" || inner.includes("<Message>") || inner.includes("<message>")
      ? ""
      : `<Message>${escapeText(error.message)}</Message>`;
  return {
    status: error.status,
    headers,
    body:
      `${declaration}<ErrorResponse${namespaceAttribute(model.xmlNamespace)}><Error>` +
      `<Type>${error.fault === "client" ? "Sender" : "Receiver"}</Type><Code>${escapeText(shape?.error?.code ?? error.code)}</Code>` +
      `${message}${inner}</Error><RequestId>${escapeText(requestId)}</RequestId></ErrorResponse>`,
  };
}

/** S3's `<Error>`: code, message, the error's own members, then the two ids. */
function encodeS3Error(error: AwsError, requestId: string): WireResponse {
  const members = entriesOf(asRecord(error.members))
    .filter(([, value]) => isPresent(value))
    .map(([name, value]) => `<${name}>${escapeText(String(value))}</${name}>`)
    .join("");
  return {
    status: error.status,
    headers: { "content-type": "application/xml", ...error.headers },
    body:
      `${declaration}<Error><Code>${escapeText(error.code)}</Code><Message>${escapeText(error.message)}</Message>` +
      `${members}<RequestId>${escapeText(requestId)}</RequestId><HostId>${escapeText(toHostId(requestId))}</HostId></Error>`,
  };
}

/** S3's second id, `x-amz-id-2`: opaque to clients. Derived, so that header and body agree. */
export function toHostId(requestId: string): string {
  return Buffer.from(`${requestId}/cumulet`).toString("base64");
}
