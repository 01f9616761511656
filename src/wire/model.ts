import type { ServiceTable, TableReference, TableShape } from "./tables/table.ts";

/** A service's table with its references resolved: what protocols and constraint checks walk. */
export interface ServiceModel {
  /** As in `tables/` and in `Service.name`. */
  readonly name: string;
  /** What clients sign for; differs from the name where two services share one (`apigateway`). */
  readonly signingName: string;
  readonly apiVersion: string;
  /** In the order of preference. */
  readonly protocols: readonly ProtocolName[];
  readonly jsonVersion: string;
  readonly targetPrefix: string | undefined;
  readonly xmlNamespace: XmlNamespace | undefined;
  readonly queryCompatible: boolean;
  readonly operations: ReadonlyMap<string, OperationModel>;
  /** Error shapes by shape name, and by wire code where that differs. */
  readonly errors: ReadonlyMap<string, StructureShape>;
}

export type ProtocolName = "json" | "rest-json" | "rest-xml" | "query" | "smithy-rpc-v2-cbor";

export interface OperationModel {
  readonly name: string;
  readonly method: string;
  /** As in the model: `/functions/{Name}/x?literal`. */
  readonly uri: string;
  readonly responseCode: number;
  readonly input: StructureShape | undefined;
  readonly inputName: string | undefined;
  readonly inputNamespace: XmlNamespace | undefined;
  readonly output: StructureShape | undefined;
  readonly resultWrapper: string | undefined;
  readonly errors: readonly string[];
  /** Clients may call without a signature. */
  readonly unsigned: boolean;
  readonly deprecated: boolean;
  readonly unwrapped: boolean;
}

export interface XmlNamespace {
  readonly uri: string;
  readonly prefix: string | undefined;
}

export type Shape = StructureShape | ListShape | MapShape | ScalarShape;

interface Constraints {
  readonly min: number | undefined;
  readonly max: number | undefined;
}

export interface StructureShape {
  readonly type: "structure";
  readonly name: string;
  readonly members: readonly Member[];
  readonly memberByName: ReadonlyMap<string, Member>;
  readonly payload: Member | undefined;
  readonly locationName: string | undefined;
  readonly xmlNamespace: XmlNamespace | undefined;
  readonly union: boolean;
  /** Any JSON value. */
  readonly document: boolean;
  readonly eventStream: boolean;
  readonly error: ErrorFacts | undefined;
}

export interface ErrorFacts {
  /** What the wire says, where it differs from the shape's name. */
  readonly code: string;
  readonly status: number | undefined;
}

export interface ListShape extends Constraints {
  readonly type: "list";
  readonly name: string;
  readonly member: Member;
  readonly flattened: boolean;
}

export interface MapShape extends Constraints {
  readonly type: "map";
  readonly name: string;
  readonly key: Member;
  readonly value: Member;
  readonly flattened: boolean;
}

export type ScalarType =
  | "string"
  | "character"
  | "integer"
  | "long"
  | "short"
  | "byte"
  | "float"
  | "double"
  | "bigdecimal"
  | "biginteger"
  | "boolean"
  | "blob"
  | "timestamp";

export interface ScalarShape extends Constraints {
  readonly type: ScalarType;
  readonly name: string;
  readonly pattern: string | undefined;
  readonly enum: readonly string[] | undefined;
  readonly timestampFormat: string | undefined;
  readonly streaming: boolean;
  readonly sensitive: boolean;
}

/** A use of a shape: in a structure by name, in a list or map as its part. */
export interface Member {
  readonly name: string;
  readonly shape: Shape;
  readonly required: boolean;
  readonly location: TableReference["location"];
  readonly locationName: string | undefined;
  readonly flattened: boolean;
  readonly xmlAttribute: boolean;
  readonly xmlNamespace: XmlNamespace | undefined;
  readonly streaming: boolean;
  readonly jsonValue: boolean;
  readonly idempotencyToken: boolean;
  readonly timestampFormat: string | undefined;
  readonly eventPayload: boolean;
  readonly eventHeader: boolean;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Shapes that their services read and write themselves, as the wire has them: looking into each value twice costs as much as the rest. */
const readAsIs: ReadonlySet<string> = new Set(["dynamodb AttributeValue", "dynamodbstreams AttributeValue"]);

/** Resolve a table's references. Shapes may refer to themselves, so each is made first and filled after. */
export function linkModel(name: string, table: ServiceTable): ServiceModel {
  const shapes = new Map<string, Shape>();
  const shapeOf = (shapeName: string): Shape => {
    const known = shapes.get(shapeName);
    if (known) return known;
    const facts = table.shapes[shapeName];
    if (!facts) throw new Error(`The table of ${name} has no shape ${shapeName}`);
    const taken = readAsIs.has(`${name} ${shapeName}`) ? { ...facts, document: true } : facts;
    return createShape(shapeName, taken, (shape) => shapes.set(shapeName, shape), memberOf);
  };
  const memberOf = (memberName: string, reference: TableReference, required: boolean): Member => {
    const shape = shapeOf(reference.shape);
    return {
      name: memberName,
      shape,
      required,
      location: reference.location,
      locationName: reference.locationName,
      flattened: reference.flattened === true || ("flattened" in shape && shape.flattened),
      xmlAttribute: reference.xmlAttribute === true,
      xmlNamespace: namespaceOf(reference.xmlNamespace) ?? ("xmlNamespace" in shape ? shape.xmlNamespace : undefined),
      streaming: reference.streaming === true || ("streaming" in shape && shape.streaming),
      jsonValue: reference.jsonvalue === true,
      idempotencyToken: reference.idempotencyToken === true,
      timestampFormat: reference.timestampFormat ?? ("timestampFormat" in shape ? shape.timestampFormat : undefined),
      eventPayload: reference.eventpayload === true,
      eventHeader: reference.eventheader === true,
    };
  };
  const structureOf = (reference: TableReference | undefined): StructureShape | undefined => {
    const shape = reference && shapeOf(reference.shape);
    return shape?.type === "structure" ? shape : undefined;
  };

  const operations = new Map<string, OperationModel>();
  for (const [operationName, facts] of Object.entries(table.operations)) {
    operations.set(operationName, {
      name: operationName,
      method: facts.http?.method ?? "POST",
      uri: facts.http?.requestUri ?? "/",
      responseCode: facts.http?.responseCode ?? 200,
      input: structureOf(facts.input),
      inputName: facts.input?.locationName,
      inputNamespace: namespaceOf(facts.input?.xmlNamespace),
      output: structureOf(facts.output),
      resultWrapper: facts.output?.resultWrapper,
      errors: (facts.errors ?? []).map((error) => error.shape),
      unsigned: facts.authtype === "none" || facts.auth?.[0] === "smithy.api#noAuth",
      deprecated: facts.deprecated === true,
      unwrapped: facts.unwrapped === true,
    });
  }
  const errors = new Map<string, StructureShape>();
  for (const [shapeName, facts] of Object.entries(table.shapes)) {
    if (!facts.exception) continue;
    const shape = structureOf({ shape: shapeName });
    if (!shape) continue;
    errors.set(shapeName, shape);
    if (shape.error && !errors.has(shape.error.code)) errors.set(shape.error.code, shape);
  }
  const { metadata } = table;
  return {
    name,
    signingName: metadata.signingName ?? metadata.endpointPrefix ?? name,
    apiVersion: metadata.apiVersion,
    protocols: (metadata.protocols ?? [metadata.protocol]).filter(isProtocolName),
    jsonVersion: metadata.jsonVersion ?? "1.0",
    targetPrefix: metadata.targetPrefix,
    xmlNamespace: namespaceOf(metadata.xmlNamespace),
    queryCompatible: metadata.awsQueryCompatible !== undefined,
    operations,
    errors,
  };
}

function createShape(
  name: string,
  facts: TableShape,
  register: (shape: Shape) => void,
  memberOf: (name: string, reference: TableReference, required: boolean) => Member,
): Shape {
  const { min, max } = facts;
  if (facts.type === "structure") {
    const members: Member[] = [];
    const memberByName = new Map<string, Member>();
    const shape: Mutable<StructureShape> = {
      type: "structure",
      name,
      members,
      memberByName,
      payload: undefined,
      locationName: facts.locationName,
      xmlNamespace: namespaceOf(facts.xmlNamespace),
      union: facts.union === true,
      document: facts.document === true,
      eventStream: facts.eventstream === true,
      error: facts.exception
        ? {
            code: facts.error?.code ?? name,
            status: facts.error?.httpStatusCode ?? (facts.fault ? 500 : undefined),
          }
        : undefined,
    };
    register(shape);
    const required = new Set(facts.required);
    for (const [memberName, reference] of inXmlOrder(facts)) {
      const member = memberOf(memberName, reference, required.has(memberName));
      members.push(member);
      memberByName.set(memberName, member);
    }
    shape.payload = facts.payload === undefined ? undefined : memberByName.get(facts.payload);
    return shape;
  }
  if (facts.type === "list" && facts.member) {
    const shape = { type: "list" as const, name, member: unlinked, flattened: facts.flattened === true, min, max };
    register(shape);
    shape.member = memberOf("member", facts.member, false);
    return shape;
  }
  if (facts.type === "map" && facts.key && facts.value) {
    const flattened = facts.flattened === true;
    const shape = { type: "map" as const, name, key: unlinked, value: unlinked, flattened, min, max };
    register(shape);
    shape.key = memberOf("key", facts.key, false);
    shape.value = memberOf("value", facts.value, false);
    return shape;
  }
  const shape: ScalarShape = {
    type: parseScalarType(facts.type),
    name,
    min,
    max,
    pattern: facts.pattern,
    enum: facts.enum,
    timestampFormat: facts.timestampFormat,
    streaming: facts.streaming === true,
    sensitive: facts.sensitive === true,
  };
  register(shape);
  return shape;
}

function inXmlOrder(facts: TableShape): [string, TableReference][] {
  const members = facts.members ?? {};
  const ordered = new Map<string, TableReference>();
  for (const name of [...(facts.xmlOrder ?? []), ...Object.keys(members)]) {
    const reference = members[name];
    if (reference) ordered.set(name, reference);
  }
  return [...ordered];
}

function namespaceOf(facts: TableReference["xmlNamespace"]): XmlNamespace | undefined {
  if (facts === undefined) return undefined;
  return typeof facts === "string" ? { uri: facts, prefix: undefined } : { uri: facts.uri, prefix: facts.prefix };
}

function isProtocolName(text: string): text is ProtocolName {
  return ["json", "rest-json", "rest-xml", "query", "smithy-rpc-v2-cbor"].includes(text);
}

const scalarTypes: readonly ScalarType[] = [
  "string",
  "character",
  "integer",
  "long",
  "short",
  "byte",
  "float",
  "double",
  "bigdecimal",
  "biginteger",
  "boolean",
  "blob",
  "timestamp",
];

function parseScalarType(text: string): ScalarType {
  const type = scalarTypes.find((known) => known === text);
  if (!type) throw new Error(`The table has the type ${text}, which no protocol knows`);
  return type;
}

/** Stands in for a member until the shape it refers to is there. */
const unlinked: Member = {
  name: "",
  shape: {
    type: "string",
    name: "",
    min: undefined,
    max: undefined,
    pattern: undefined,
    enum: undefined,
    timestampFormat: undefined,
    streaming: false,
    sensitive: false,
  },
  required: false,
  location: undefined,
  locationName: undefined,
  flattened: false,
  xmlAttribute: false,
  xmlNamespace: undefined,
  streaming: false,
  jsonValue: false,
  idempotencyToken: false,
  timestampFormat: undefined,
  eventPayload: false,
  eventHeader: false,
};
