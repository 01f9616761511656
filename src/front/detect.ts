import { createLru, type Lru } from "../access/lru.ts";
import { AwsError, notImplemented } from "../aws/error.ts";
import type { OperationModel, ProtocolName, ServiceModel } from "../wire/model.ts";
import { parseForm } from "../wire/protocols/aws-query.ts";
import { parseQuery } from "../wire/protocols/rest-bindings.ts";
import type { CatalogEntry, LoadedModel, Models } from "../wire/tables/catalog.ts";
import type { AwsDestination } from "./classify.ts";
import { frontLimits } from "./limits.ts";

/** What tells a service and an operation apart, before the body is read. */
export interface RequestFacts {
  readonly method: string;
  /** Without the query; for virtual-hosted buckets with the bucket in front. */
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The service of a request, and the protocol it is spoken to in. */
export interface DetectedService {
  readonly entry: CatalogEntry;
  readonly protocol: ProtocolName;
}

/** @throws the 501 for a service that the platform has not */
type ServiceDetector = (
  destination: AwsDestination,
  request: RequestFacts,
  form: () => Promise<string>,
) => Promise<DetectedService> | DetectedService;

/**
 * The service: by the credential scope, the target header, RPC v2's path, or the host. Unsigned requests that name
 * none are for the query service whose version they state, the REST service whose path they have, or S3.
 */
export function createServiceDetector(models: Models): ServiceDetector {
  const byPrefix = toPrefixes(models);
  const signingNames = createLru<string>(frontLimits.credentialsKept);

  return (destination, request, form) => {
    const target = request.headers["x-amz-target"];
    const rpc = request.headers["smithy-protocol"] === undefined ? undefined : parseRpcPath(request.path);
    const signed = findSigningName(request, signingNames);
    const prefix = target === undefined ? rpc?.prefix : target.slice(0, target.lastIndexOf("."));
    const named = prefix === undefined ? undefined : byPrefix.get(prefix);
    const detected = (entry: CatalogEntry | undefined): DetectedService => {
      const found = entry ?? models.find("s3");
      if (!found) throw notImplemented("This service");
      return { entry: found, protocol: chooseProtocol(found, request, target !== undefined) };
    };
    if (signed !== undefined) {
      return detected(named?.signingName === signed ? named : findNamed(models, signed, request.path));
    }
    const entry =
      named ??
      (destination.serviceLabel === undefined
        ? undefined
        : models.entries.find(
            (each) =>
              (each.signingName === destination.serviceLabel || each.name === destination.serviceLabel) &&
              ownsPath(each, request.path),
          ));
    if (entry) return detected(entry);
    const byPath = () =>
      models.entries.find((each) => each.protocols[0] === "rest-json" && ownsPath(each, request.path));
    if (!isForm(request)) return detected(byPath());
    return form().then((text) => detected(findByVersion(models, request, text) ?? byPath()));
  };
}

/** The services by what clients may write of their target prefix; of several the first. */
function toPrefixes(models: Models): ReadonlyMap<string, CatalogEntry> {
  const found = new Map<string, CatalogEntry>();
  for (const entry of models.entries) {
    const { targetPrefix } = entry;
    if (targetPrefix === undefined) continue;
    const parts = targetPrefix.split(".");
    for (let from = 0; from < parts.length; from += 1) {
      const ending = parts.slice(from).join(".");
      if (!found.has(ending)) found.set(ending, entry);
    }
  }
  return found;
}

/**
 * The service of a name in a credential scope; where several share it, by the path.
 *
 * @throws the 501 for a service that the platform has not
 */
function findNamed(models: Models, name: string, path: string): CatalogEntry | undefined {
  const candidates = models.entries.filter((each) => each.signingName === name);
  if (candidates.length === 0) throw notImplemented(`The service ${name.slice(0, 64)}`);
  return candidates.length === 1 ? candidates[0] : candidates.find((each) => ownsPath(each, path));
}

/** The service and protocol of a request whose service is known by name. @throws as `findNamed` */
export function detectNamedService(models: Models, name: string, request: RequestFacts): DetectedService {
  const entry = findNamed(models, name, request.path);
  if (entry === undefined) throw notImplemented(`The service ${name.slice(0, 64)}`);
  return { entry, protocol: chooseProtocol(entry, request, request.headers["x-amz-target"] !== undefined) };
}

const restPaths: Readonly<Record<string, RegExp>> = {
  apigatewaymanagementapi: /^\/@connections\//,
  apigatewayv2: /^\/v2\//,
  apigateway:
    /^\/(?:restapis|apikeys|usageplans|domainnames|domainnameaccessassociations|vpclinks|clientcertificates|account|sdktypes|tags)(?:\/|$)/,
  lambda: /^\/20\d\d-\d\d-\d\d\//,
};

function ownsPath(entry: CatalogEntry, path: string): boolean {
  const pattern = restPaths[entry.name];
  return pattern === undefined || entry.protocols[0] !== "rest-json" || pattern.test(path);
}

/** The service that a signature is for, signed or not yet verified. */
function findSigningName(request: RequestFacts, known: Lru<string>): string | undefined {
  const { authorization } = request.headers;
  if (authorization === undefined) {
    return request.query.includes("X-Amz-Credential=") ? signingNameIn(decodeCredential(request.query)) : undefined;
  }
  // As nearly all clients write it: the credential first, the same in all requests of a day.
  const end = authorization.startsWith(beforeCredential) ? authorization.indexOf(",") : -1;
  if (end < 0 || end > frontLimits.credentialCharactersKept) return signingNameIn(authorization);
  const credential = authorization.slice(beforeCredential.length, end);
  const found = known.get(credential);
  if (found !== undefined) return found;
  const name = signingNameIn(`Credential=${credential}`);
  if (name === undefined) return signingNameIn(authorization);
  known.set(credential, name);
  return name;
}

const beforeCredential = "AWS4-HMAC-SHA256 Credential=";

function signingNameIn(text: string | undefined): string | undefined {
  return /(?:Credential=|^)[^/,\s]{1,256}\/\d{8}\/[^/,\s]{0,64}\/([a-zA-Z0-9-]{1,64})\/aws4_request/.exec(
    (text ?? "").slice(0, 8192),
  )?.[1];
}

function decodeCredential(query: string): string | undefined {
  return parseQuery(query).get("X-Amz-Credential")?.[0];
}

function isForm(request: RequestFacts): boolean {
  return (
    (request.headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded") ||
    /(?:^|&)Action=/.test(request.query)
  );
}

function findByVersion(models: Models, request: RequestFacts, form: string): CatalogEntry | undefined {
  const fields = new Map([...parseForm(request.query), ...parseForm(form)]);
  const version = fields.get("Version");
  return models.entries.find((each) => each.protocols.includes("query") && each.apiVersion === version);
}

function chooseProtocol(entry: CatalogEntry, request: RequestFacts, targeted: boolean): ProtocolName {
  const speaks = (name: ProtocolName) => entry.protocols.includes(name);
  if (speaks("smithy-rpc-v2-cbor") && request.headers["smithy-protocol"] === "rpc-v2-cbor") return "smithy-rpc-v2-cbor";
  if (speaks("json") && targeted) return "json";
  if (speaks("query") && isForm(request)) return "query";
  for (const name of ["rest-json", "rest-xml", "query", "json"] as const) if (speaks(name)) return name;
  return "json";
}

/** @throws what the protocol answers to an operation that the service does not know */
export function detectOperation(
  loaded: LoadedModel,
  detected: DetectedService,
  request: RequestFacts,
  form: () => Promise<string>,
): Promise<OperationModel> | OperationModel {
  const { model } = loaded;
  switch (detected.protocol) {
    case "json": {
      const target = request.headers["x-amz-target"] ?? "";
      const dot = target.lastIndexOf(".");
      const operation = isPrefixOf(model.targetPrefix, target.slice(0, dot))
        ? model.operations.get(target.slice(dot + 1))
        : undefined;
      if (!operation || request.method !== "POST") throw new AwsError("UnknownOperationException", 400, "");
      return operation;
    }
    case "smithy-rpc-v2-cbor": {
      const operation = model.operations.get(parseRpcPath(request.path)?.operation ?? "");
      if (!operation || request.method !== "POST") throw new AwsError("UnknownOperationException", 404, "");
      return operation;
    }
    case "query":
      return form().then((text) => detectAction(model, new Map([...parseForm(request.query), ...parseForm(text)])));
    default: {
      const operation = loaded.router.match(request.method, request.path, parseQuery(request.query), request.headers);
      if (operation) return operation;
      if (model.name !== "s3") throw new AwsError("UnknownOperationException", 404, "");
      throw new AwsError("MethodNotAllowed", 405, "The specified method is not allowed against this resource.", {
        members: { Method: request.method.slice(0, 16), ResourceType: "OBJECT" },
      });
    }
  }
}

function detectAction(model: ServiceModel, fields: ReadonlyMap<string, string>): OperationModel {
  const action = fields.get("Action");
  if (action === undefined) throw new AwsError("MissingAction", 400, "The request must contain the parameter Action");
  const operation = model.operations.get(action);
  const version = fields.get("Version") ?? model.apiVersion;
  if (!operation || version !== model.apiVersion) {
    throw new AwsError(
      "InvalidAction",
      400,
      `Could not find operation ${action.slice(0, 128)} for version ${version.slice(0, 32)}`,
    );
  }
  return operation;
}

/** Clients write a prefix as its model has it, or only its last part: `CloudTrail_20131101` of `com.amazonaws.…`. */
function isPrefixOf(targetPrefix: string | undefined, given: string | undefined): boolean {
  if (targetPrefix === undefined || given === undefined) return false;
  return given === targetPrefix || (given !== "" && targetPrefix.endsWith(`.${given}`));
}

function parseRpcPath(path: string): { readonly prefix: string; readonly operation: string } | undefined {
  const match = /\/service\/([\w.]{1,128})\/operation\/(\w{1,128})$/.exec(path);
  const prefix = match?.[1];
  const operation = match?.[2];
  if (prefix === undefined || operation === undefined) return undefined;
  return { prefix: prefix.slice(prefix.lastIndexOf(".") + 1), operation };
}
