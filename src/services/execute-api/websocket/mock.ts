import { mockStatus } from "../rest/mock-integration.ts";
import type { PublishedWebSocketMock } from "./published.ts";
import type { WebSocketIntegration, WebSocketStage } from "./request.ts";
import { compileTemplateChoice } from "./template.ts";
import { parseMessage } from "./selection.ts";

/**
 * `MOCK`: the request template makes a status, the status selects the integration response, and its template what is answered.
 *
 * AWS: without a template it is a 200.
 */
export function compileMock({ needs }: WebSocketStage, mock: PublishedWebSocketMock): WebSocketIntegration {
  const choose = compileTemplateChoice(mock.requestTemplates, mock.templateSelectionExpression);
  const isMapped = Object.keys(mock.requestTemplates).length > 0;
  const passes = mock.passthroughBehavior === "WHEN_NO_MATCH" || (mock.passthroughBehavior !== "NEVER" && !isMapped);
  const responses = mock.responses.map(({ key, templates, templateSelectionExpression }) => ({
    matches: toMatcher(key),
    isDefault: key === "$default",
    template: compileTemplateChoice(templates, templateSelectionExpression),
  }));
  return (request, done) => {
    const body = request.event.type === "MESSAGE" ? request.event.body : "";
    const message = parseMessage(body);
    const template = choose(message);
    if (template === undefined && !passes) return done({ outcome: "failed", status: 500 });
    try {
      const status = template === undefined ? "200" : mockStatus(template(request, body));
      if (status === undefined) return done({ outcome: "failed", status: 500 });
      const response = responses.find(({ matches }) => matches(status)) ?? responses.find(({ isDefault }) => isDefault);
      const answer = response?.template(message)?.(request, "") ?? "";
      done({ outcome: "answered", status: Number(status), headers: [], body: answer });
    } catch (error) {
      needs.log.debug("A mapping template failed", { requestId: request.requestId, reason: String(error) });
      done({ outcome: "failed", status: 500 });
    }
  };
}

/** `/2\d\d/` matches as a whole. A status has three digits: no pattern takes long for it. */
function toMatcher(key: string): (status: string) => boolean {
  if (key === "$default") return () => false;
  try {
    const pattern = new RegExp(`^(?:${key.slice(1, -1)})$`);
    return (status) => pattern.test(status);
  } catch {
    return () => false;
  }
}
