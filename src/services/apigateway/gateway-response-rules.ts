import type { PublishedGatewayResponse } from "../execute-api/port.ts";
import { badRequest, parameterNotFound } from "./errors.ts";
import { apiGatewayLimits as limits } from "./limits.ts";
import type { PatchTable } from "./patch.ts";

/** Every type, with AWS's own status; the defaults of a class have none. Source: "Gateway response types for API Gateway". */
const statusCodes = {
  ACCESS_DENIED: "403",
  API_CONFIGURATION_ERROR: "500",
  AUTHORIZER_CONFIGURATION_ERROR: "500",
  AUTHORIZER_FAILURE: "500",
  BAD_REQUEST_BODY: "400",
  BAD_REQUEST_PARAMETERS: "400",
  DEFAULT_4XX: undefined,
  DEFAULT_5XX: undefined,
  EXPIRED_TOKEN: "403",
  INTEGRATION_FAILURE: "504",
  INTEGRATION_TIMEOUT: "504",
  INVALID_API_KEY: "403",
  INVALID_SIGNATURE: "403",
  MISSING_AUTHENTICATION_TOKEN: "403",
  QUOTA_EXCEEDED: "429",
  REQUEST_TOO_LARGE: "413",
  RESOURCE_NOT_FOUND: "404",
  THROTTLED: "429",
  UNAUTHORIZED: "401",
  UNSUPPORTED_MEDIA_TYPE: "415",
  WAF_FILTERED: "403",
} as const;

type ResponseType = keyof typeof statusCodes;

/** Throws BadRequestException. */
export function parseResponseType(text: string | undefined): ResponseType {
  const found = responseTypes.find((type) => type === text);
  if (found === undefined) throw badRequest(`Invalid gateway response type specified: ${text ?? ""}`);
  return found;
}

export const responseTypes: readonly ResponseType[] = Object.keys(statusCodes).filter(isResponseType);

function isResponseType(text: string): text is ResponseType {
  return Object.hasOwn(statusCodes, text);
}

/** What an API answers before anything is configured; in the family of an own default where there is one. */
export function defaultResponse(
  responseType: ResponseType,
  configured: readonly PublishedGatewayResponse[],
): PublishedGatewayResponse {
  const status = statusCodes[responseType];
  const family = status === undefined ? undefined : status < "500" ? "DEFAULT_4XX" : "DEFAULT_5XX";
  const inherited = configured.find((response) => response.responseType === family);
  const statusCode = inherited?.statusCode ?? status;
  return {
    responseType,
    ...(statusCode === undefined ? {} : { statusCode }),
    responseParameters: inherited?.responseParameters ?? {},
    responseTemplates: inherited?.responseTemplates ?? {},
  };
}

/** As the API tells it. AWS: what was not configured is told as it is by default. */
export function describeResponse(response: PublishedGatewayResponse, isDefault: boolean) {
  const responseType = parseResponseType(response.responseType);
  const statusCode = response.statusCode ?? statusCodes[responseType];
  const hasTemplates = Object.keys(response.responseTemplates).length > 0;
  return {
    responseType,
    ...(statusCode === undefined ? {} : { statusCode }),
    responseParameters: { ...response.responseParameters },
    responseTemplates: hasTemplates
      ? { ...response.responseTemplates }
      : { "application/json": '{"message":$context.error.messageString}' },
    defaultResponse: isDefault,
  };
}

/**
 * What must hold of a gateway response however it came about. Templates may be anything: as on AWS what is no variable in them is
 * plain text.
 *
 * @throws BadRequestException
 */
export function checkGatewayResponse(response: PublishedGatewayResponse): PublishedGatewayResponse {
  if (response.statusCode !== undefined && !/^[1-5]\d\d$/.test(response.statusCode)) {
    throw badRequest(`Invalid status code ${response.statusCode}`);
  }
  for (const [target, source] of Object.entries(response.responseParameters)) {
    if (!/^gatewayresponse\.header\.[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(target))
      throw invalidMapping(`parameter specified: ${target}`);
    if (!sourcePattern.test(source)) throw invalidMapping(`specified: ${source}`);
  }
  for (const template of Object.values(response.responseTemplates)) {
    if (Buffer.byteLength(template) > limits.templateBytesMax) throw badRequest("Template size exceeds 300 KB");
  }
  return response;
}

function invalidMapping(what: string) {
  return badRequest(
    `Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression ${what}]`,
  );
}

const sourcePattern =
  /^(?:'[^']*'|context\.[\w.-]+|stageVariables\.\w+|method\.request\.(?:path|(?:multivalue)?querystring|(?:multivalue)?header)\.[^\s]+)$/;

/** Source: "PatchOperation", UpdateGatewayResponse. */
export const responsePatches: PatchTable<PublishedGatewayResponse> = [
  { path: /^\/statusCode$/, apply: { replace: (response, statusCode) => ({ ...response, statusCode }) } },
  {
    path: /^\/responseParameters\/[^/]+$/,
    apply: memberPatches("responseParameters"),
  },
  {
    path: /^\/responseTemplates\/[^/]+$/,
    apply: memberPatches("responseTemplates"),
  },
];

function memberPatches(member: "responseParameters" | "responseTemplates") {
  const put = (response: PublishedGatewayResponse, value: string, name: string) => ({
    ...response,
    [member]: { ...response[member], [name]: value },
  });
  return {
    add: put,
    replace: (response: PublishedGatewayResponse, value: string, name: string) => {
      if (!Object.hasOwn(response[member], name)) throw parameterNotFound();
      return put(response, value, name);
    },
    remove: (response: PublishedGatewayResponse, _value: string, name: string) => {
      const { [name]: gone, ...rest } = response[member];
      if (gone === undefined) throw parameterNotFound();
      return { ...response, [member]: rest };
    },
  };
}
