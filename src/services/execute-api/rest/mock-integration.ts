import type { PublishedMockIntegration } from "../port.ts";
import { compileBodyChoice } from "./body-templates.ts";
import { compileResponses, type IntegrationAnswer } from "./integration-answer.ts";
import { refuse, type RestIntegration } from "./request.ts";
import { refuseUnrendered } from "./rest-template.ts";

/**
 * A `MOCK` integration: the request template makes a status, the status selects the response, and that is what the client gets.
 *
 * AWS: the template of the body's content type makes `{"statusCode": 200}`. Without any template the request passes to the
 * default response; without one for the body's type the body itself must say the status.
 *
 * Source: "Mock integrations for REST APIs in API Gateway".
 */
export function compileMockIntegration(mock: PublishedMockIntegration): RestIntegration {
  const choose = compileBodyChoice(mock);
  const respond = compileResponses(mock.responses);
  const hasTemplates = Object.keys(mock.requestTemplates).length > 0;
  return (request) => {
    const choice = choose(request.exchange.headers.contentType);
    if (choice.kind === "unsupported") return refuse(request, "UNSUPPORTED_MEDIA_TYPE");
    if (choice.kind === "passed" && !hasTemplates) return respond(request, answerOf(undefined));
    let mapped = "";
    try {
      const body = request.body.toString("utf8");
      mapped = choice.kind === "mapped" ? choice.template(request, body) : body;
    } catch (error) {
      return refuseUnrendered(request, "request", error);
    }
    const status = mockStatus(mapped);
    if (status === undefined) {
      request.journal?.error(
        "Execution failed due to configuration error: Unable to parse statusCode. It should be an integer from the request template",
      );
      return refuse(request, "API_CONFIGURATION_ERROR");
    }
    respond(request, answerOf(status));
  };
}

/** A mock answers nothing but a status. */
function answerOf(status: string | undefined): IntegrationAnswer {
  return { headers: [], body: nothing, selectBy: status };
}

const nothing = Buffer.alloc(0);

/** The status code in what a template has made, which need not be strict JSON: `{statusCode: 200}` is common. */
export function mockStatus(text: string): string | undefined {
  if (!text.trimEnd().endsWith("}")) return undefined;
  return /^\s*\{[\s\S]*?(["']?)\bstatusCode\1\s*:\s*(["']?)(\d{3})\2(?!\d)/.exec(text.slice(0, statusWithin))?.[3];
}

const statusWithin = 10_000;
