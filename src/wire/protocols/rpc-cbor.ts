import type { Member, ServiceModel, Shape, StructureShape } from "../model.ts";
import { messageName, toErrorType, toQueryError } from "./aws-json.ts";
import { decodeCbor, encodeCbor, toCborFloat } from "./cbor.ts";
import { asRecord, malformed, setOwn, type Protocol } from "./protocol.ts";
import { checkInteger, isPresent, nameOfInteger } from "./scalars.ts";

const headers = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  "content-type": "application/cbor",
  "smithy-protocol": "rpc-v2-cbor",
  ...more,
});

/** Smithy RPC v2 CBOR: the operation in the path, input and output as one CBOR map. */
export function createRpcCbor(model: ServiceModel): Protocol {
  return {
    parse: (operation, request) => {
      if (!operation.input || request.body.length === 0) return {};
      return readStructure(operation.input, decodeCbor(request.body));
    },
    encode: (operation, output) =>
      operation.output
        ? { status: 200, headers: headers(), body: encodeCbor(writeStructure(operation.output, output)) }
        : { status: 200, headers: { "smithy-protocol": "rpc-v2-cbor" }, body: "" },
    encodeError: (error) => {
      const shape = model.errors.get(error.code);
      const name = (shape && messageName(shape.members.map((member) => member.name))) ?? "message";
      const message = error.message === "" ? {} : { [name]: error.message };
      const members = shape ? writeStructure(shape, { ...error.members, ...message }) : {};
      const response = {
        status: error.status,
        headers: headers(error.headers),
        body: encodeCbor({ __type: toErrorType(model, error), ...message, ...members }),
      };
      if (model.queryCompatible) response.headers["x-amzn-query-error"] = toQueryError(model, error);
      return response;
    },
  };
}

function readStructure(shape: StructureShape, value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed("Unexpected field type");
  const source = asRecord(value);
  const result: Record<string, unknown> = {};
  for (const member of shape.members) {
    const name = member.locationName ?? member.name;
    const item = Object.hasOwn(source, name) ? source[name] : undefined;
    if (item !== undefined && item !== null) result[member.name] = readValue(member.shape, item);
  }
  if (shape.union && Object.keys(result).length > 1) {
    throw malformed(`Only one member of the union ${shape.name} may be set`);
  }
  return result;
}

function readValue(shape: Shape, value: unknown): unknown {
  switch (shape.type) {
    case "structure":
      return readStructure(shape, value);
    case "list": {
      if (!Array.isArray(value)) throw malformed("Unexpected field type");
      const { shape: item } = shape.member;
      return value.map((each: unknown) => (each === null ? null : readValue(item, each)));
    }
    case "map": {
      if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed("Unexpected field type");
      const result: Record<string, unknown> = {};
      for (const [key, item] of Object.entries(value)) {
        setOwn(result, key, item === null ? null : readValue(shape.value.shape, item));
      }
      return result;
    }
    case "string":
    case "character":
      if (typeof value === "string") return value;
      throw malformed("A value can not be converted to a String");
    case "boolean":
      if (typeof value === "boolean") return value;
      throw malformed("A value can not be converted to a Boolean");
    case "blob":
      if (value instanceof Uint8Array) return value;
      throw malformed("A value can not be converted to a Blob");
    case "timestamp":
      if (value instanceof Date) return value;
      throw malformed("A value can not be converted to a Timestamp");
    case "float":
    case "double":
    case "bigdecimal":
      if (typeof value === "number") return value;
      throw malformed("A value can not be converted to a Double");
    default:
      if (typeof value === "number") return checkInteger(shape.type, value);
      throw malformed(`A value can not be converted to ${nameOfInteger(shape.type)}`);
  }
}

function writeStructure(shape: StructureShape, value: unknown): Record<string, unknown> {
  const source = asRecord(value);
  const result: Record<string, unknown> = {};
  for (const member of shape.members) {
    const item = source[member.name];
    if (isPresent(item)) result[member.locationName ?? member.name] = writeValue(member, item);
  }
  return result;
}

function writeValue(member: Member, value: unknown): unknown {
  const { shape } = member;
  switch (shape.type) {
    case "structure":
      return writeStructure(shape, value);
    case "list": {
      if (!Array.isArray(value)) throw new TypeError(`The member ${member.name} is a list`);
      return value.map((item: unknown) => (isPresent(item) ? writeValue(shape.member, item) : null));
    }
    case "map": {
      const result: Record<string, unknown> = {};
      for (const [key, item] of Object.entries(asRecord(value))) {
        if (item !== undefined) setOwn(result, key, item === null ? null : writeValue(shape.value, item));
      }
      return result;
    }
    case "float":
      return toCborFloat(Number(value), 32);
    case "double":
      return toCborFloat(Number(value), 64);
    case "blob":
      return typeof value === "string" ? Buffer.from(value, "utf8") : value;
    default:
      return value;
  }
}
