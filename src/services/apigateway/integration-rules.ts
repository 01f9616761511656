import type { AuthorizationRequest } from "../../access/authorization.ts";
import { parseArn } from "../../aws/arn.ts";
import { notImplemented } from "../../aws/error.ts";
import type { IamPort } from "../iam/port.ts";
import { badRequest } from "./errors.ts";
import { apiGatewayLimits as limits } from "./limits.ts";
import type { IntegrationRecord, IntegrationResponseRecord, MethodRecord } from "./model.ts";
import { asksForSomething, parseHttpMethod, parsePassthrough } from "./rules.ts";

/** An integration as requests and definitions write it. */
export interface IntegrationInput {
  readonly type?: string | undefined;
  readonly httpMethod?: string | undefined;
  readonly uri?: string | undefined;
  readonly credentials?: string | undefined;
  readonly connectionType?: string | undefined;
  readonly connectionId?: string | undefined;
  readonly integrationTarget?: string | undefined;
  readonly requestParameters?: Readonly<Record<string, string>> | undefined;
  readonly requestTemplates?: Readonly<Record<string, string>> | undefined;
  readonly passthroughBehavior?: string | undefined;
  readonly contentHandling?: string | undefined;
  readonly timeoutInMillis?: number | undefined;
  readonly cacheNamespace?: string | undefined;
  readonly cacheKeyParameters?: readonly string[] | undefined;
  readonly insecureSkipVerification?: boolean | undefined;
  readonly responseTransferMode?: string | undefined;
}

const types = ["AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK"] as const;

/** Throws BadRequestException for what AWS refuses, and the 501 for what is not built. */
export function parseIntegration(input: IntegrationInput): IntegrationRecord {
  const type = types.find((each) => each === input.type?.toUpperCase());
  if (type === undefined) throw badRequest(`Enumeration value for IntegrationType must be one of ${types.join(", ")}`);
  const integration: IntegrationRecord = {
    type,
    ...(type === "MOCK" || !input.httpMethod ? {} : { httpMethod: input.httpMethod }),
    ...(type === "MOCK" || !input.uri ? {} : { uri: input.uri }),
    ...(input.credentials ? { credentials: input.credentials } : {}),
    ...(input.connectionType ? { connectionType: parseConnectionType(input.connectionType) } : {}),
    ...(input.requestParameters === undefined ? {} : { requestParameters: input.requestParameters }),
    ...(input.requestTemplates === undefined ? {} : { requestTemplates: input.requestTemplates }),
    passthroughBehavior: parsePassthrough(input.passthroughBehavior),
    ...parseContentHandling(input.contentHandling),
    timeoutMs: input.timeoutInMillis ?? limits.integrationTimeoutMsMax,
    ...(input.cacheNamespace ? { cacheNamespace: input.cacheNamespace } : {}),
    ...(input.cacheKeyParameters?.length ? { cacheKeyParameters: input.cacheKeyParameters } : {}),
    ...(input.insecureSkipVerification === true ? { insecureSkipVerification: true } : {}),
    ...parseTransferMode(input.responseTransferMode),
    responses: {},
  };
  if (asksForSomething(input.connectionId)) throw notImplemented("An integration with connectionId");
  if (asksForSomething(input.integrationTarget)) throw notImplemented("An integration with integrationTarget");
  checkIntegration(integration);
  return integration;
}

/** What must hold of an integration however it came about. */
export function checkIntegration(integration: IntegrationRecord): void {
  const { type, uri = "", httpMethod, credentials, timeoutMs } = integration;
  const streams = integration.responseTransferMode === "STREAM";
  const most = streams ? limits.streamingTimeoutMsMax : limits.integrationTimeoutMsMax;
  if (!(timeoutMs >= limits.integrationTimeoutMsMin && timeoutMs <= most)) {
    throw badRequest(`Timeout should be between ${limits.integrationTimeoutMsMin} ms and ${most} ms`);
  }
  checkCredentials(credentials);
  if (streams && type !== "AWS_PROXY" && type !== "HTTP_PROXY") {
    throw badRequest("Response transfer mode STREAM is only supported for AWS_PROXY and HTTP_PROXY integrations");
  }
  for (const template of Object.values(integration.requestTemplates ?? {})) checkTemplateSize(template);
  if (type === "MOCK") return;
  if (httpMethod === undefined) throw badRequest("Enumeration value for HttpMethod must be non-empty");
  parseHttpMethod(httpMethod);
  if (type === "HTTP" || type === "HTTP_PROXY") {
    if (!isHttpUri(uri)) throw badRequest("Invalid HTTP endpoint specified for URI");
  } else if (type === "AWS_PROXY") checkFunctionUri(uri, httpMethod, streams);
  else checkServiceUri(uri, credentials);
}

const callerCredentials = /^arn:[\w-]+:iam::\*:user\/\*$/;
const rolePattern = /^arn:[\w-]+:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/;

function checkCredentials(credentials: string | undefined): void {
  if (credentials === undefined || callerCredentials.test(credentials) || rolePattern.test(credentials)) return;
  throw badRequest("Invalid ARN specified in the request");
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

/** Stage variables may stand for the host, or a part of it. */
function isHttpUri(uri: string): boolean {
  const filled = uri.replaceAll(/\$\{stageVariables\.\w+\}/g, "x");
  const authority = /^https?:\/\/([^/?#{}]+)/.exec(/^https?:/.test(filled) ? filled : `http://${filled}`)?.[1];
  if (authority === undefined || (!/^https?:\/\//.test(uri) && !uri.startsWith("${stageVariables."))) return false;
  return authority !== "" && !authority.includes("@") && URL.canParse(`http://${authority}`);
}

function checkFunctionUri(uri: string, httpMethod: string, streams: boolean): void {
  const target = /^arn:[\w-]+:apigateway:[\w-]*:lambda:path\/(.*)$/.exec(uri)?.[1];
  if (target === undefined) {
    if (/^arn:[\w-]+:apigateway:[\w-]*:firehose:/.test(uri)) throw notImplemented("An integration with Firehose");
    throw badRequest(
      parseArn(uri) === undefined
        ? "Invalid ARN specified in the request"
        : "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.",
    );
  }
  const isStreaming = /^2021-11-15\/functions\/.+\/response-streaming-invocations$/.test(target);
  if (!isStreaming && !/^2015-03-31\/functions\/.+\/invocations$/.test(target)) {
    throw badRequest("Invalid ARN specified in the request");
  }
  if (streams !== isStreaming) {
    throw badRequest(
      "Response transfer mode STREAM requires the URI of response-streaming-invocations, and no other has it",
    );
  }
  if (httpMethod !== "POST") throw badRequest("Integration HTTP method must be POST for a function");
}

function checkServiceUri(uri: string, credentials: string | undefined): void {
  const arn = parseArn(uri.replaceAll(/\$\{stageVariables\.\w+\}/g, "x"));
  if (arn === undefined || arn.service !== "apigateway" || arn.account === "") {
    throw badRequest("Invalid ARN specified in the request");
  }
  if (!/^(?:action|path)\//.test(arn.resource)) throw badRequest("AWS ARN for integration must contain path or action");
  if (arn.account === "lambda" && arn.resource.startsWith("path/")) {
    if (/^path\/2015-03-31\/functions\/.+\/invocations$/.test(arn.resource)) return;
  }
  if (credentials === undefined) throw badRequest("Role ARN must be specified for AWS integrations");
}

function parseConnectionType(connectionType: string): "INTERNET" {
  if (connectionType === "INTERNET") return connectionType;
  throw notImplemented(`An integration with connectionType ${connectionType}`);
}

export function parseContentHandling(handling: string | undefined): Pick<IntegrationRecord, "contentHandling"> {
  if (!handling) return {};
  if (handling === "CONVERT_TO_TEXT" || handling === "CONVERT_TO_BINARY") return { contentHandling: handling };
  throw badRequest("Invalid content handling specified. Valid values are CONVERT_TO_TEXT and CONVERT_TO_BINARY");
}

export function parseTransferMode(mode: string | undefined): Pick<IntegrationRecord, "responseTransferMode"> {
  if (!mode) return {};
  if (mode === "BUFFERED" || mode === "STREAM") return { responseTransferMode: mode };
  throw badRequest("Invalid response transfer mode specified. Valid values are BUFFERED and STREAM");
}

/**
 * Mappings of a request: `integration.request.PLACE.NAME` from what the method declares, a variable or a literal.
 *
 * AWS: parameters of the request must be declared by the method.
 */
export function checkRequestParameters(
  method: Pick<MethodRecord, "requestParameters">,
  integration: IntegrationRecord,
): void {
  for (const [target, source] of Object.entries(integration.requestParameters ?? {})) {
    if (!/^integration\.request\.(?:header|querystring|path)\.[\w.$:-]+$/.test(target)) throw invalidParameter(target);
    if (isAnywhere(source) || /^method\.request\.body(?:\..+)?$/.test(source)) continue;
    if (!/^method\.request\.(?:header|querystring|path|multivalueheader|multivaluequerystring)\.[^\s]+$/.test(source)) {
      throw invalidExpression(source);
    }
    const declared = method.requestParameters ?? {};
    if (!Object.hasOwn(declared, source) && !Object.hasOwn(declared, source.replace(".multivalue", "."))) {
      throw invalidParameter(source);
    }
  }
}

/** A literal, or a variable that is there for requests and answers alike. */
function isAnywhere(source: string): boolean {
  return /^'[^']*'$/.test(source) || /^(?:context|stageVariables)\.[\w.-]+$/.test(source);
}

/** AWS: only headers that the method has declared can be mapped to. */
export function checkResponse(
  method: Pick<MethodRecord, "methodResponses">,
  response: IntegrationResponseRecord,
): void {
  const declared = method.methodResponses?.[response.statusCode]?.responseParameters ?? {};
  for (const template of Object.values(response.responseTemplates ?? {})) checkTemplateSize(template);
  for (const [target, source] of Object.entries(response.responseParameters ?? {})) {
    if (!Object.hasOwn(declared, target)) throw invalidParameter(target);
    if (isAnywhere(source)) continue;
    if (!/^integration\.response\.(?:body(?:\..+)?|(?:multivalue)?header\.[^\s]+)$/.test(source)) {
      throw invalidExpression(source);
    }
  }
}

function checkTemplateSize(template: string): void {
  if (Buffer.byteLength(template) > limits.templateBytesMax) throw badRequest("Template size exceeds 300 KB");
}

function invalidParameter(parameter: string) {
  return badRequest(
    `Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: ${parameter}]`,
  );
}

function invalidExpression(expression: string) {
  return badRequest(
    `Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: ${expression}]`,
  );
}
