import { mediaType } from "../../../proxy/media-types.ts";
import type { RestRequest } from "./request.ts";
import { compileRestTemplate } from "./rest-template.ts";

/** A mapping template, ready to be filled in with a request or an answer. It throws what `refuseUnrendered` answers. */
export type BodyTemplate = (request: RestRequest, body: string) => string;

/** What an integration gets as the body of a request. */
export type MappedBody =
  | { readonly kind: "passed" }
  | { readonly kind: "mapped"; readonly template: BodyTemplate; readonly contentType: string }
  | { readonly kind: "unsupported" };

/**
 * Choose by the body's content type.
 *
 * AWS: without one it is `application/json`; a type without a template passes through, or is refused with 415.
 */
export function compileBodyChoice(integration: {
  readonly requestTemplates: Readonly<Record<string, string>>;
  readonly passthroughBehavior: "WHEN_NO_MATCH" | "WHEN_NO_TEMPLATES" | "NEVER";
}): (contentType: string) => MappedBody {
  const mapped = new Map<string, MappedBody>();
  for (const [type, text] of Object.entries(integration.requestTemplates)) {
    mapped.set(type.toLowerCase(), { kind: "mapped", template: compileRestTemplate(text), contentType: type });
  }
  const passes =
    integration.passthroughBehavior === "WHEN_NO_MATCH" ||
    (integration.passthroughBehavior === "WHEN_NO_TEMPLATES" && mapped.size === 0);
  const other: MappedBody = { kind: passes ? "passed" : "unsupported" };
  return (contentType) => mapped.get(contentType === "" ? "application/json" : mediaType(contentType)) ?? other;
}
