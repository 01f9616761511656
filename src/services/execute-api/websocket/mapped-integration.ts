import { convertRequest, noBase64 } from "../integrations/content-handling.ts";
import { mockStatus } from "../rest/mock-integration.ts";
import { compileParameterMapping } from "../rest/request-mapping.ts";
import type { EndpointCall } from "./endpoint.ts";
import { fail } from "./failures.ts";
import { compileFunctionCall } from "./function-call.ts";
import { compileHttpCall } from "./http-call.ts";
import { compileSource } from "./parameters.ts";
import type { PublishedWebSocketEndpoint, PublishedWebSocketMock } from "./published.ts";
import { bodyOf, type WebSocketIntegration, type WebSocketStage } from "./request.ts";
import { compileResponses } from "./responses.ts";
import { parseMessage } from "./selection.ts";
import { compileServiceCall } from "./service-call.ts";
import { compileTemplateChoice, failUnrendered } from "./template.ts";

type Mapped = PublishedWebSocketEndpoint | PublishedWebSocketMock;

/**
 * `AWS`, `HTTP`, `HTTP_PROXY` and `MOCK`: the message is converted and mapped by the template that it selects, the endpoint is
 * called, and its answer is mapped by the integration response that its status selects. A proxy passes both on as they are.
 */
export function compileMapped(stage: WebSocketStage, integration: Mapped): WebSocketIntegration {
  const isProxy = integration.type === "HTTP_PROXY";
  const isMock = integration.type === "MOCK";
  const call = compileCall(stage, integration);
  const mapParameters = compileParameterMapping(isMock ? {} : integration.requestParameters, compileSource);
  const handling = isMock ? undefined : integration.contentHandling;
  const templates = isProxy ? {} : integration.requestTemplates;
  const choose = compileTemplateChoice(templates, integration.templateSelectionExpression, "message");
  const passes =
    isProxy ||
    integration.passthroughBehavior === "WHEN_NO_MATCH" ||
    (integration.passthroughBehavior === "WHEN_NO_TEMPLATES" && Object.keys(templates).length === 0);
  const respond = compileResponses(integration.responses);

  return (request, done) => {
    const text = bodyOf(request);
    const template = choose({ body: () => parseMessage(text) });
    if (template === undefined && !passes) return fail(request, done, "UNSUPPORTED_MEDIA_TYPE");
    const converted = convertRequest(Buffer.from(text, "utf8"), false, handling);
    if (converted === undefined) {
      request.journal?.error(noBase64);
      return fail(request, done, "API_CONFIGURATION_ERROR");
    }
    let body = converted;
    try {
      if (template !== undefined) body = Buffer.from(template(request, body.toString("utf8")), "utf8");
    } catch (error) {
      return failUnrendered(request, done, "message", error);
    }
    // AWS: without a template a mock is a 200, whatever the message says.
    if (isMock && template === undefined) body = mockDefault;
    call(
      request,
      { parameters: mapParameters(request), body },
      (answer) => {
        if (!isProxy) return respond(request, answer, done);
        const { status, headers } = answer;
        done({ outcome: "answered", status, headers, body: answer.body });
      },
      (type, message) => fail(request, done, type, message),
    );
  };
}

const mockDefault = Buffer.from(`{"statusCode":200}`, "utf8");

function compileCall(stage: WebSocketStage, integration: Mapped): EndpointCall {
  switch (integration.type) {
    case "MOCK":
      return callMock;
    case "HTTP":
    case "HTTP_PROXY":
      return compileHttpCall(stage, integration);
    case "AWS":
      return compileFunctionCall(stage, integration) ?? compileServiceCall(stage, integration);
  }
}

/** The request template has made a status. */
const callMock: EndpointCall = (request, { body }, answered, failed) => {
  const status = mockStatus(body.toString("utf8"));
  if (status === undefined) return failed("API_CONFIGURATION_ERROR");
  request.integration = { status: Number(status) };
  answered({ status: Number(status), headers: [], body: Buffer.alloc(0), selectBy: status });
};
