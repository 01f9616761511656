import { firstMediaType } from "../../../proxy/media-types.ts";
import { isHeaderName, sentHeaderValue } from "../../../proxy/response-headers.ts";
import type { PublishedGatewayResponse } from "../port.ts";
import { gatewayResponseDefaults, type GatewayResponseType } from "./gateway-response-types.ts";
import { compileSubstitution } from "./gateway-template.ts";
import type { RestRequest } from "./request.ts";
import { compileSource, type ParameterSource } from "./request-mapping.ts";

/** What a REST API answers by itself when a request does not get through to its integration. */
export interface GatewayResponse {
  readonly status: number;
  readonly errorType: string;
  /** `$context.error.message` where nothing more is said. */
  readonly message: string | null;
  /** Names and values in turn, the content type among them. */
  headers(request: RestRequest): string[];
  body(request: RestRequest): string;
}

export type GatewayResponses = Readonly<Record<GatewayResponseType, GatewayResponse>>;

/**
 * Every answer of an API, with what it has configured applied: its own type first, then the class's default.
 *
 * AWS: the body is chosen by what the client accepts, as mapping templates are; without a template it is AWS's own.
 */
export function compileGatewayResponses(configured: readonly PublishedGatewayResponse[]): GatewayResponses {
  const byType = new Map(configured.map((response) => [response.responseType, response]));
  const compile = (type: GatewayResponseType): GatewayResponse => {
    const { status, errorType, message } = gatewayResponseDefaults[type];
    const own = byType.get(type) ?? byType.get(status < 500 ? "DEFAULT_4XX" : "DEFAULT_5XX");
    const templates = Object.entries(own?.responseTemplates ?? {});
    if (templates.length === 0) templates.push(["application/json", defaultTemplate(type)]);
    const bodies = templates.map(([contentType, template]) => ({
      contentType: sentHeaderValue(contentType) ?? "application/json",
      lower: contentType.toLowerCase(),
      fill: compileSubstitution(template),
    }));
    const [first] = bodies;
    const choose = ({ exchange }: RestRequest) => {
      if (bodies.length === 1) return first;
      const accepted = firstMediaType(exchange.headers.accept);
      return bodies.find(({ lower }) => lower === accepted) ?? first;
    };
    const mapped = compileHeaders(own?.responseParameters ?? {});
    const hasType = mapped.some(({ name }) => name.toLowerCase() === "content-type");
    return {
      // An answer that ends a request is not interim, whatever AWS lets be configured.
      status: own?.statusCode === undefined || Number(own.statusCode) < 200 ? status : Number(own.statusCode),
      errorType,
      message,
      headers: (request) => {
        const headers: string[] = [];
        for (const { name, source } of mapped) {
          for (const value of source(request)) {
            const sendable = sentHeaderValue(value);
            if (sendable !== undefined) headers.push(name, sendable);
          }
        }
        if (!hasType) headers.push("Content-Type", choose(request)?.contentType ?? "application/json");
        return headers;
      },
      body: (request) => choose(request)?.fill(request) ?? "",
    };
  };
  return {
    ACCESS_DENIED: compile("ACCESS_DENIED"),
    API_CONFIGURATION_ERROR: compile("API_CONFIGURATION_ERROR"),
    AUTHORIZER_CONFIGURATION_ERROR: compile("AUTHORIZER_CONFIGURATION_ERROR"),
    AUTHORIZER_FAILURE: compile("AUTHORIZER_FAILURE"),
    BAD_REQUEST_BODY: compile("BAD_REQUEST_BODY"),
    BAD_REQUEST_PARAMETERS: compile("BAD_REQUEST_PARAMETERS"),
    EXPIRED_TOKEN: compile("EXPIRED_TOKEN"),
    FORBIDDEN: compile("FORBIDDEN"),
    INTEGRATION_FAILURE: compile("INTEGRATION_FAILURE"),
    INTEGRATION_TIMEOUT: compile("INTEGRATION_TIMEOUT"),
    INVALID_API_KEY: compile("INVALID_API_KEY"),
    INVALID_SIGNATURE: compile("INVALID_SIGNATURE"),
    MALFORMED_RESPONSE: compile("MALFORMED_RESPONSE"),
    MISSING_AUTHENTICATION_TOKEN: compile("MISSING_AUTHENTICATION_TOKEN"),
    QUOTA_EXCEEDED: compile("QUOTA_EXCEEDED"),
    REQUEST_TOO_LARGE: compile("REQUEST_TOO_LARGE"),
    RESOURCE_NOT_FOUND: compile("RESOURCE_NOT_FOUND"),
    THROTTLED: compile("THROTTLED"),
    UNAUTHORIZED: compile("UNAUTHORIZED"),
    UNSUPPORTED_MEDIA_TYPE: compile("UNSUPPORTED_MEDIA_TYPE"),
    WAF_FILTERED: compile("WAF_FILTERED"),
  };
}

/** AWS: only denials write the member large. */
function defaultTemplate(type: GatewayResponseType): string {
  return type === "ACCESS_DENIED"
    ? `{"Message":$context.error.messageString}`
    : `{"message":$context.error.messageString}`;
}

interface MappedHeader {
  readonly name: string;
  readonly source: ParameterSource;
}

/** `gatewayresponse.header.NAME`, from a parameter of the request, a variable or a literal. */
function compileHeaders(parameters: Readonly<Record<string, string>>): MappedHeader[] {
  const headers: MappedHeader[] = [];
  for (const [target, expression] of Object.entries(parameters)) {
    const name = target.replace(/^gatewayresponse\.header\./, "");
    const source = compileSource(expression);
    if (name !== target && isHeaderName(name) && source !== undefined) headers.push({ name, source });
  }
  return headers;
}
