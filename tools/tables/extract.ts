/** Which of botocore's facts a table keeps. Documentation, examples, endpoint rules and marks of no use on a server stay out. */
const metadataKept = [
  "apiVersion",
  "protocol",
  "protocols",
  "jsonVersion",
  "targetPrefix",
  "endpointPrefix",
  "signingName",
  "serviceId",
  "xmlNamespace",
  "awsQueryCompatible",
];
const operationKept = [
  "http",
  "input",
  "output",
  "errors",
  "authtype",
  "auth",
  "endpoint",
  "requestcompression",
  "deprecated",
];
const referenceKept = [
  "shape",
  "location",
  "locationName",
  "flattened",
  "xmlAttribute",
  "xmlNamespace",
  "streaming",
  "jsonvalue",
  "idempotencyToken",
  "timestampFormat",
  "eventpayload",
  "eventheader",
  "hostLabel",
  "resultWrapper",
];
const shapeKept = [
  "type",
  "required",
  "payload",
  "flattened",
  "locationName",
  "xmlNamespace",
  "xmlOrder",
  "timestampFormat",
  "min",
  "max",
  "pattern",
  "enum",
  "exception",
  "error",
  "fault",
  "union",
  "document",
  "eventstream",
  "event",
  "streaming",
  "sensitive",
];

type Facts = Record<string, unknown>;

/** A botocore service model → the table of the service, in a fixed order. */
export function extractTable(model: unknown): Facts {
  const { metadata, operations, shapes } = parseFacts(model);
  return {
    metadata: pick(parseFacts(metadata), metadataKept),
    operations: mapFacts(parseFacts(operations), extractOperation),
    shapes: mapFacts(parseFacts(shapes), extractShape),
  };
}

function extractOperation(facts: Facts): Facts {
  const kept = pick(facts, operationKept);
  for (const side of ["input", "output"]) {
    if (kept[side] !== undefined) kept[side] = pick(parseFacts(kept[side]), referenceKept);
  }
  if (Array.isArray(kept["errors"])) {
    kept["errors"] = kept["errors"].map((error) => pick(parseFacts(error), ["shape"]));
  }
  return kept;
}

function extractShape(facts: Facts): Facts {
  const kept = pick(facts, shapeKept);
  for (const part of ["member", "key", "value"]) {
    if (facts[part] !== undefined) kept[part] = pick(parseFacts(facts[part]), referenceKept);
  }
  if (facts["members"] !== undefined) {
    kept["members"] = mapFacts(parseFacts(facts["members"]), (member) => pick(member, referenceKept));
  }
  return kept;
}

function pick(facts: Facts, names: readonly string[]): Facts {
  const kept: Facts = {};
  for (const name of names) if (facts[name] !== undefined) kept[name] = facts[name];
  return kept;
}

function mapFacts(facts: Facts, change: (value: Facts) => Facts): Facts {
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, change(parseFacts(value))]));
}

function parseFacts(value: unknown): Facts {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error("The model is not an object");
  return Object.fromEntries(Object.entries(value));
}
