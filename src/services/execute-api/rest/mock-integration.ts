import { literalHeaders } from "./gateway-responses.ts";
import { firstMediaType, mediaType } from "../../../proxy/media-types.ts";
import type { PublishedIntegrationResponse, PublishedMockIntegration } from "../port.ts";
import { answer, refuse, type RestIntegration } from "./request.ts";

/** What a MOCK integration answers. */
interface MockAnswer {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly contentType: string;
  readonly body: string;
}

type MockOutcome = MockAnswer | "unsupported-media-type" | "no-status";

/**
 * Make a MOCK integration ready: its templates are static, so each leads to one status, and that to one response.
 *
 * AWS: the request template of the body's content type gives the status code as `{"statusCode": 200}`; the response is
 * the one whose selection pattern matches it, else the default.
 */
function compileMock(mock: PublishedMockIntegration): (contentType: string, accept: string) => MockOutcome {
  const byType = new Map<string, PublishedIntegrationResponse | undefined>();
  for (const [type, template] of Object.entries(mock.requestTemplates)) {
    const status = mockStatus(template);
    byType.set(type.toLowerCase(), status === undefined ? undefined : selectResponse(mock.responses, status));
  }
  const headers = new Map(
    mock.responses.map((response) => [
      response,
      literalHeaders(response.responseParameters, "method.response.header."),
    ]),
  );

  return (contentType, accept) => {
    const type = contentType === "" ? "application/json" : mediaType(contentType);
    if (!byType.has(type)) {
      const passes =
        mock.passthroughBehavior === "WHEN_NO_MATCH" ||
        (mock.passthroughBehavior === "WHEN_NO_TEMPLATES" && byType.size === 0);
      // What passes through is the client's body, which is no status for the mock.
      return passes ? "no-status" : "unsupported-media-type";
    }
    const response = byType.get(type);
    if (response === undefined) return "no-status";
    const templates = Object.entries(response.responseTemplates);
    const wanted = firstMediaType(accept);
    const [sent, body] = templates.find(([name]) => name.toLowerCase() === wanted) ??
      templates[0] ?? ["application/json", ""];
    return { status: Number(response.statusCode), headers: headers.get(response) ?? [], contentType: sent, body };
  };
}

/** A `MOCK` integration, ready to answer. */
export function compileMockIntegration(integration: PublishedMockIntegration): RestIntegration {
  const mock = compileMock(integration);
  return (request) => {
    const { exchange } = request;
    const outcome = mock(exchange.headers.contentType, exchange.headers.accept);
    if (outcome === "unsupported-media-type") return refuse(request, "UNSUPPORTED_MEDIA_TYPE");
    if (outcome === "no-status") return refuse(request, "INTEGRATION_FAILURE");
    const headers = [...outcome.headers];
    if (!headers.some((name, index) => index % 2 === 0 && name.toLowerCase() === "content-type")) {
      headers.push("Content-Type", outcome.contentType);
    }
    answer(exchange, outcome.status, headers, outcome.body);
  };
}

/** The status code in a static template, which need not be strict JSON: `{statusCode: 200}` is common. */
export function mockStatus(template: string): string | undefined {
  return /^\s*\{\s*(["']?)statusCode\1\s*:\s*"?(\d{3})"?\s*\}\s*$/.exec(template)?.[2];
}

function selectResponse(
  responses: readonly PublishedIntegrationResponse[],
  status: string,
): PublishedIntegrationResponse | undefined {
  return (
    responses.find((response) => response.selectionPattern && matches(response.selectionPattern, status)) ??
    responses.find((response) => !response.selectionPattern)
  );
}

function matches(pattern: string, status: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`).test(status);
  } catch {
    return false;
  }
}
