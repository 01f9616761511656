import type { AuthorizationRequest } from "../../access/authorization.ts";
import { parseArn } from "../../aws/arn.ts";
import { notImplemented } from "../../aws/error.ts";
import type { ServiceSubtype } from "../execute-api/port.ts";
import type { IamPort } from "../iam/port.ts";
import { badRequest } from "./errors.ts";
import type { IntegrationRecord } from "./model.ts";
import { parsePayloadFormatVersion, parseTimeout, refuseMembers } from "./rules.ts";

/** An integration of an HTTP API as requests and definitions write it. */
export interface IntegrationInput {
  readonly ConnectionType?: string | undefined;
  readonly CredentialsArn?: string | undefined;
  readonly Description?: string | undefined;
  readonly IntegrationMethod?: string | undefined;
  readonly IntegrationSubtype?: string | undefined;
  readonly IntegrationType?: string | undefined;
  readonly IntegrationUri?: string | undefined;
  readonly PayloadFormatVersion?: string | undefined;
  readonly RequestParameters?: Readonly<Record<string, string>> | undefined;
  readonly ResponseParameters?: Readonly<Record<string, Readonly<Record<string, string>>>> | undefined;
  readonly TimeoutInMillis?: number | undefined;
  readonly TlsConfig?: { readonly ServerNameToVerify?: string | undefined } | undefined;
}

/** What routes can be integrated with, beside functions and endpoints. */
export interface Integrable {
  readonly subtypes: ReadonlyMap<string, ServiceSubtype>;
  /** Whether the platform has a service, by its name in a credential scope. */
  readonly isBuilt: (service: string) => boolean;
}

/** Of WebSocket APIs, or of private integrations. */
const refused = [
  "ConnectionId",
  "ContentHandlingStrategy",
  "PassthroughBehavior",
  "RequestTemplates",
  "TemplateSelectionExpression",
];

export type IntegrationSettings = Omit<IntegrationRecord, "integrationId" | "managed">;

/**
 * Throws BadRequestException for what AWS refuses, and the 501 for what is not built.
 *
 * @param before what an update changes
 */
export function parseIntegration(
  operation: string,
  input: IntegrationInput,
  before: IntegrationSettings | undefined,
  integrable: Integrable,
): IntegrationSettings {
  refuseMembers(operation, input, refused);
  if (input.ConnectionType !== undefined && input.ConnectionType !== "INTERNET") {
    throw notImplemented(`${operation} with ConnectionType ${input.ConnectionType}`);
  }
  const type = parseType(input.IntegrationType ?? before?.type ?? "AWS_PROXY");
  const subtype = input.IntegrationSubtype ?? before?.subtype;
  const uri = input.IntegrationUri ?? (subtype ? "" : (before?.uri ?? ""));
  const method = input.IntegrationMethod ?? before?.method;
  const credentials = input.CredentialsArn ?? before?.credentials;
  const serverName = input.TlsConfig === undefined ? before?.serverName : input.TlsConfig.ServerNameToVerify;
  const description = input.Description ?? before?.description;
  const requestParameters = merged(before?.requestParameters, input.RequestParameters);
  const responseParameters = mergedResponses(before?.responseParameters, input.ResponseParameters);
  const settings: IntegrationSettings = {
    type,
    uri,
    ...(method ? { method } : {}),
    ...(subtype ? { subtype } : {}),
    payloadFormatVersion: parsePayloadFormatVersion(input.PayloadFormatVersion ?? before?.payloadFormatVersion),
    timeoutMs: parseTimeout(input.TimeoutInMillis ?? before?.timeoutMs),
    ...(credentials ? { credentials } : {}),
    ...(serverName ? { serverName } : {}),
    ...(description === undefined ? {} : { description }),
    ...(requestParameters === undefined ? {} : { requestParameters }),
    ...(responseParameters === undefined ? {} : { responseParameters }),
  };
  check(settings, integrable);
  return settings;
}

function parseType(type: string): "AWS_PROXY" | "HTTP_PROXY" {
  if (type === "AWS_PROXY" || type === "HTTP_PROXY") return type;
  throw badRequest(
    `Only AWS_PROXY and HTTP_PROXY integration types are supported for HTTP APIs, and ${type} is neither`,
  );
}

export const integrationMethods = new Set(["ANY", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

function check(settings: IntegrationSettings, integrable: Integrable): void {
  const { type, uri, method, subtype, credentials, serverName } = settings;
  if (credentials !== undefined) checkCredentials(credentials);
  checkResponseParameters(settings.responseParameters ?? {});
  if (subtype !== undefined) return checkSubtype(subtype, settings, integrable);
  checkRequestParameters(settings.requestParameters ?? {});
  if (type === "HTTP_PROXY") {
    if (!isHttpUri(uri)) throw badRequest("HTTP endpoint for integration must be a valid URL");
    if (method === undefined || !integrationMethods.has(method))
      throw badRequest("HttpMethod must be set for HTTP_PROXY IntegrationType");
    if (credentials !== undefined) throw badRequest("Credentials are not supported for HTTP_PROXY IntegrationType");
    return;
  }
  if (serverName !== undefined) throw badRequest("TlsConfig is only supported for HTTP_PROXY IntegrationType");
  checkFunctionUri(uri);
  // AWS: functions are always called with POST, whatever the method of the request.
  if (method !== undefined && method !== "POST" && method !== "ANY") {
    throw badRequest("HttpMethod must be POST for AWS_PROXY IntegrationType");
  }
}

/** Throws BadRequestException, and the 501 for what is no function. */
export function checkFunctionUri(uri: string): void {
  if (uri === "") throw badRequest("IntegrationUri should be a valid integration uri");
  if (/^arn:[\w-]+:lambda:/.test(uri) || /^arn:[\w-]+:apigateway:[\w-]*:lambda:path\//.test(uri)) return;
  if (/^https?:/.test(uri)) throw badRequest("IntegrationType must be HTTP_PROXY for an HTTP endpoint");
  throw notImplemented(`An integration with ${uri}`);
}

/** Whether it is the URL of an endpoint, stage and path variables not yet replaced. */
export function isHttpUri(uri: string): boolean {
  const filled = uri.replaceAll(/\$\{stageVariables\.\w+\}/g, "x");
  const authority = /^https?:\/\/([^/?#{}]+)/.exec(filled)?.[1];
  return authority !== undefined && !authority.includes("@") && URL.canParse(`http://${authority}`);
}

const callerCredentials = /^arn:[\w-]+:iam::\*:user\/\*$/;
const rolePattern = /^arn:[\w-]+:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/;

/** Throws BadRequestException for what is neither a role nor the caller. */
export function checkCredentials(credentials: string): void {
  if (!rolePattern.test(credentials) && !callerCredentials.test(credentials)) {
    throw badRequest("Invalid ARN specified in the request");
  }
}

/** Whoever gives a role to an integration must be allowed to: what `iam:PassRole` is asked for. */
export function passedRole(
  iam: Pick<IamPort, "passRole">,
  credentials: string | undefined,
  account: string,
): readonly AuthorizationRequest[] {
  if (!credentials || callerCredentials.test(credentials)) return [];
  if (parseArn(credentials)?.account !== account) throw badRequest("Cross-account pass role is not allowed.");
  return [iam.passRole(credentials, "apigateway.amazonaws.com")];
}

function checkSubtype(
  subtype: string,
  { type, credentials, requestParameters = {} }: IntegrationSettings,
  { subtypes, isBuilt }: Integrable,
): void {
  const known = subtypes.get(subtype);
  if (type !== "AWS_PROXY" || known === undefined) throw badRequest(`Invalid integration subtype: ${subtype}`);
  if (!isBuilt(known.service)) throw notImplemented(`IntegrationSubtype ${subtype}: the service ${known.service}`);
  if (credentials === undefined) throw badRequest("Credentials must be specified for integrations with a subtype");
  if (callerCredentials.test(credentials)) throw notImplemented(`An integration with the credentials ${credentials}`);
  for (const name of known.required) {
    if (!requestParameters[name])
      throw badRequest(`Parameter: ${name} is required for integration subtype: ${subtype}`);
  }
  for (const name of Object.keys(requestParameters)) {
    if (name !== "Region" && !Object.hasOwn(known.parameters, name)) {
      throw badRequest(`Parameter: ${name} does not fit schema for Operation: ${subtype}`);
    }
  }
}

/** Source: "Reserved headers" of "Transform API requests and responses for HTTP APIs in API Gateway". */
const reserved =
  /^(?:access-control-.*|apigw-.*|authorization|connection|content-encoding|content-length|content-location|forwarded|keep-alive|origin|proxy-authenticate|proxy-authorization|te|trailers|transfer-encoding|upgrade|x-amz-.*|x-amzn-.*|x-forwarded-for|x-forwarded-host|x-forwarded-proto|via)$/i;

function checkRequestParameters(parameters: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(parameters)) {
    const match = /^(append|overwrite|remove):(?:(header|querystring)\.([^\s]+)|(path))$/.exec(key);
    if (match === null || (match[4] === "path" && match[1] !== "overwrite")) throw invalidMapping(key);
    if (match[2] === "header" && reserved.test(match[3] ?? "")) throw reservedHeader(match[3] ?? "");
    checkValue(key, value, /^(?:request|context|stageVariables)\b/);
  }
}

function checkResponseParameters(byStatus: NonNullable<IntegrationSettings["responseParameters"]>): void {
  for (const [status, parameters] of Object.entries(byStatus)) {
    if (!/^[2-5]\d\d$/.test(status)) throw badRequest(`Invalid response parameters status code: ${status}`);
    for (const [key, value] of Object.entries(parameters)) {
      const match = /^(append|overwrite|remove):(?:header\.([^\s]+)|(statuscode))$/.exec(key);
      if (match === null || (match[3] === "statuscode" && match[1] !== "overwrite")) throw invalidMapping(key);
      if (match[2] !== undefined && reserved.test(match[2])) throw reservedHeader(match[2]);
      checkValue(key, value, /^(?:response|context|stageVariables)\b/);
    }
  }
}

/** References must lead somewhere that there is, by a path that is read. */
function checkValue(key: string, value: string, roots: RegExp): void {
  const whole = /^\$([^{].*)$/s.exec(value)?.[1];
  const references =
    whole === undefined ? [...value.matchAll(/\$\{([^{}]*)\}/g)].map((match) => match[1] ?? "") : [whole];
  for (const reference of references) {
    const isPath = /^(?:request|response)\.body(?:\..*)?$/.test(reference);
    if (!roots.test(reference) || (isPath && /\.\.|\?\(/.test(reference))) {
      throw badRequest(`Invalid mapping expression specified: ${value} for parameter ${key}`);
    }
  }
}

function invalidMapping(key: string) {
  return badRequest(`Invalid mapping expression parameter specified: ${key}`);
}

function reservedHeader(name: string) {
  return badRequest(`Operations on header ${name} are restricted`);
}

/** AWS: an update changes the parameters it names; an empty value removes one. */
function merged(
  before: Readonly<Record<string, string>> | undefined,
  input: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> | undefined {
  if (input === undefined) return before;
  const entries = Object.entries({ ...before, ...input }).filter(
    ([key, value]) => value !== "" || key.startsWith("remove:"),
  );
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function mergedResponses(
  before: IntegrationSettings["responseParameters"],
  input: IntegrationInput["ResponseParameters"],
): IntegrationSettings["responseParameters"] {
  if (input === undefined) return before;
  const entries = Object.entries({ ...before, ...input }).filter(
    ([, parameters]) => Object.keys(parameters).length > 0,
  );
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
