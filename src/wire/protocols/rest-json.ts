import type { Member, OperationModel, ServiceModel } from "../model.ts";
import { parseJsonBody, writeErrorMembers } from "./aws-json.ts";
import { encodeEvents, parseEvents } from "./event-stream.ts";
import { createJsonCodec, type JsonCodec } from "./json-values.ts";
import { malformed, type Protocol, type WireRequest, type WireResponse } from "./protocol.ts";
import { readPayload, writePayload } from "./payload.ts";
import { createRestBindings } from "./rest-bindings.ts";
import { isInBody, isPresent } from "./scalars.ts";

/** restJson1: members in the path, query, headers and a JSON body. */
export function createRestJson(model: ServiceModel): Protocol {
  const codec = createJsonCodec();
  const bindings = createRestBindings();
  return {
    parse: (operation, request) => {
      const input: Record<string, unknown> = {};
      readBody(codec, operation, request, input);
      bindings.read(operation, request, input);
      return input;
    },
    encode: (operation, output) => {
      const headers: Record<string, string> = {};
      const shape = operation.output;
      if (!shape) return { status: operation.responseCode, headers: { "content-type": "application/json" }, body: "" };
      const status = bindings.write(shape, output, headers) ?? operation.responseCode;
      const { contentType, body } = writeBody(codec, operation, output);
      headers["content-type"] ??= contentType;
      return { status, headers, body: status === 204 || status === 304 ? "" : body };
    },
    encodeError: (error) => {
      const shape = model.errors.get(error.code);
      const headers: Record<string, string> = {
        "content-type": "application/json",
        "x-amzn-errortype": error.code,
        ...error.headers,
      };
      const status = (shape && bindings.write(shape, error.members, headers)) ?? error.status;
      return { status, headers, body: JSON.stringify(writeErrorMembers(codec, model, error)) };
    },
  };
}

function readBody(
  codec: JsonCodec,
  operation: OperationModel,
  request: WireRequest,
  input: Record<string, unknown>,
): void {
  const shape = operation.input;
  if (!shape) return;
  const { payload } = shape;
  if (!payload) {
    if (!shape.members.some((member) => member.location === undefined)) return;
    Object.assign(input, codec.read(shape, parseJsonBody(request.body)));
    return;
  }
  if (payload.shape.type === "structure" && payload.shape.eventStream) {
    input[payload.name] = parseEvents(payload.shape, request.stream ?? [], (member, bytes) =>
      codec.readMember(member, parseJsonBody(bytes)),
    );
    return;
  }
  const value = isBytes(payload) ? readPayload(payload, request) : readDocument(codec, payload, request.body);
  if (value !== undefined) input[payload.name] = value;
}

function readDocument(codec: JsonCodec, payload: Member, body: Uint8Array): unknown {
  if (body.length === 0) return undefined;
  if (payload.shape.type === "structure" && !payload.shape.document)
    return codec.readMember(payload, parseJsonBody(body));
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    throw malformed("Could not parse the request body as JSON");
  }
  return codec.readMember(payload, value);
}

function writeBody(
  codec: JsonCodec,
  operation: OperationModel,
  output: Record<string, unknown>,
): { readonly contentType: string; readonly body: WireResponse["body"] } {
  const shape = operation.output;
  if (!shape) return { contentType: "application/json", body: "" };
  const { payload } = shape;
  if (!payload) {
    // An answer whose members are all in the status and headers has no body.
    const bodiless = shape.members.length > 0 && !shape.members.some(isInBody);
    return { contentType: "application/json", body: bodiless ? "" : JSON.stringify(codec.write(shape, output)) };
  }
  const value = output[payload.name];
  if (payload.shape.type === "structure" && payload.shape.eventStream) {
    const events = encodeEvents(payload.shape, value, "application/json", (member, event) =>
      JSON.stringify(codec.writeMember(member, event)),
    );
    return { contentType: "application/vnd.amazon.eventstream", body: events };
  }
  if (isBytes(payload)) return writePayload(payload, value);
  if (!isPresent(value)) return { contentType: "application/json", body: "" };
  const written = codec.writeMember(payload, value);
  return { contentType: "application/json", body: JSON.stringify(written) };
}

function isBytes(member: Member): boolean {
  return member.shape.type === "blob" || member.shape.type === "string";
}
