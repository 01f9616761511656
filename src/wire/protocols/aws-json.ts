import type { AwsError } from "../../aws/error.ts";
import type { Member, ServiceModel, StructureShape } from "../model.ts";
import { encodeEvents, encodeMessage } from "./event-stream.ts";
import { encodedOutput } from "../service.ts";
import { createJsonCodec, type JsonCodec } from "./json-values.ts";
import { malformed, type Protocol, type WireResponse } from "./protocol.ts";

/** awsJson 1.0 and 1.1: the operation in `X-Amz-Target`, input and output as one JSON document. */
export function createAwsJson(model: ServiceModel): Protocol {
  const codec = createJsonCodec();
  const contentType = `application/x-amz-json-${model.jsonVersion}`;
  return {
    parse: (operation, request) => {
      if (!operation.input) return {};
      return codec.read(operation.input, parseJsonBody(request.body));
    },
    encode: (operation, output) => {
      const encoded = encodedOutput in output ? output[encodedOutput] : undefined;
      if (typeof encoded === "string" || encoded instanceof Uint8Array)
        return { status: 200, headers: { "content-type": contentType }, body: encoded };
      const shape = operation.output;
      const events = shape && findEventStream(shape);
      if (shape && events) return encodeEventStream(codec, shape, events, output, contentType);
      return {
        status: 200,
        headers: { "content-type": contentType },
        body: shape ? JSON.stringify(codec.write(shape, output)) : "",
      };
    },
    encodeError: (error) => {
      const response: WireResponse = {
        status: error.status,
        headers: { "content-type": contentType, ...error.headers },
        body: JSON.stringify({ __type: toErrorType(model, error), ...writeErrorMembers(codec, model, error) }),
      };
      if (model.queryCompatible) response.headers["x-amzn-query-error"] = toQueryError(model, error);
      return response;
    },
  };
}

type EventStreamMember = Member & { readonly shape: StructureShape };

function findEventStream(shape: StructureShape): EventStreamMember | undefined {
  return shape.members.find(isEventStream);
}

function isEventStream(member: Member): member is EventStreamMember {
  return member.shape.type === "structure" && member.shape.eventStream;
}

/** Members beside the stream go ahead of it, as an event of their own. */
function encodeEventStream(
  codec: JsonCodec,
  shape: StructureShape,
  events: EventStreamMember,
  output: Record<string, unknown>,
  contentType: string,
): WireResponse {
  const { [events.name]: stream, ...others } = output;
  const initial = encodeMessage({
    headers: { ":message-type": "event", ":event-type": "initial-response", ":content-type": contentType },
    payload: Buffer.from(JSON.stringify(codec.write(shape, others)), "utf8"),
  });
  const write = (member: Member, event: unknown) => JSON.stringify(codec.writeMember(member, event));
  return {
    status: 200,
    headers: { "content-type": "application/vnd.amazon.eventstream" },
    body: encodeEvents(events.shape, stream, contentType, write, initial),
  };
}

/** A body that is one JSON object; an empty one is `{}`, as AWS takes it. */
export function parseJsonBody(body: Uint8Array): unknown {
  if (body.length === 0) return {};
  let value: unknown;
  try {
    const bytes = body instanceof Buffer ? body : Buffer.from(body.buffer, body.byteOffset, body.length);
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    throw malformed("Could not parse the request body as JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw malformed("The request body is not a JSON object");
  }
  return value;
}

/** The members of an error's document: those of its shape, and the message under the name the shape gives it. */
export function writeErrorMembers(codec: JsonCodec, model: ServiceModel, error: AwsError): Record<string, unknown> {
  const shape = model.errors.get(error.code);
  const name = (shape && messageName(shape.members.map((member) => member.name))) ?? "message";
  const members = { ...error.members, ...(error.message === "" ? {} : { [name]: error.message }) };
  // AWS: a message is told even where the shape has no member for it.
  const message = error.message === "" ? {} : { [name]: error.message };
  return shape ? { ...message, ...codec.write(shape, members) } : message;
}

/** Services that write errors' names in full; the others write the bare name. Source: their answers. */
const namespaces: Readonly<Record<string, string>> = {
  cloudwatch: "com.amazonaws.cloudwatch",
  dynamodb: "com.amazonaws.dynamodb.v20120810",
  dynamodbstreams: "com.amazonaws.dynamodb.v20120810",
  sqs: "com.amazonaws.sqs",
};

/** `__type`: the error's name, with its namespace where the service writes one. */
export function toErrorType(model: ServiceModel, error: AwsError): string {
  const namespace = namespaces[model.name];
  const shape = model.errors.get(error.code);
  if (namespace === undefined) return shape?.name ?? error.code;
  if (shape) return `${namespace}#${shape.name}`;
  return `com.amazon.coral.${error.code === "ValidationException" ? "validate" : "service"}#${error.code}`;
}

/** Shapes call their message `message`, `Message` or, in some services, nothing at all. */
export function messageName(members: readonly string[]): string | undefined {
  return members.find((name) => name === "message" || name === "Message");
}

/** `x-amzn-query-error`: the code of the query protocol, and who is at fault. */
export function toQueryError(model: ServiceModel, error: AwsError): string {
  const code = model.errors.get(error.code)?.error?.code ?? error.code;
  return `${code};${error.fault === "client" ? "Sender" : "Receiver"}`;
}
