import { parsePolicyDocument, PolicyGrammarError } from "../../access/policy/document.ts";
import { notImplemented } from "../../aws/error.ts";
import { badRequest } from "./errors.ts";
import { apiGatewayLimits as limits } from "./limits.ts";
import type { Place } from "./model.ts";

type Json = Readonly<Record<string, unknown>>;

/**
 * Check a resource policy and give the form that is kept: resources of this API written as `execute-api:/stage/GET/path`
 * become ARNs.
 *
 * Throws BadRequestException; conditions on VPCs, which there are none of here, are refused by name.
 */
export function parseResourcePolicy(text: string, place: Place, apiId: string): string {
  if (Buffer.byteLength(text) > limits.policyBytesMax) {
    throw badRequest(`Resource policy size exceeds ${limits.policyBytesMax} bytes`);
  }
  const document = parseDocument(text);
  const statements = document["Statement"];
  const own = `arn:aws:execute-api:${place.region}:${place.account}:${apiId}/`;
  const expanded = JSON.stringify({
    ...document,
    Statement: (Array.isArray(statements) ? statements : [statements]).map((statement: unknown) =>
      expandStatement(asObject(statement), own),
    ),
  });
  try {
    for (const { conditions } of parsePolicyDocument(expanded, "resource").statements) {
      const vpc = conditions.find(({ key }) => vpcKeys.has(key));
      if (vpc !== undefined) throw notImplemented(`A resource policy with the condition ${vpc.key}`);
    }
  } catch (error) {
    if (error instanceof PolicyGrammarError) throw invalid();
    throw error;
  }
  return expanded;
}

const vpcKeys = new Set(["aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip", "aws:sourcevpcarn"]);

function expandStatement(statement: Json, own: string): Json {
  const expanded: Record<string, unknown> = { ...statement };
  for (const name of ["Resource", "NotResource"]) {
    const value = statement[name];
    if (typeof value === "string") expanded[name] = expandResource(value, own);
    else if (Array.isArray(value)) {
      expanded[name] = value.map((item: unknown) => (typeof item === "string" ? expandResource(item, own) : item));
    }
  }
  return expanded;
}

function expandResource(resource: string, own: string): string {
  if (resource === "execute-api:*") return `${own}*`;
  return resource.startsWith("execute-api:/") ? own + resource.slice("execute-api:/".length) : resource;
}

function parseDocument(text: string): Json {
  try {
    return asObject(JSON.parse(text));
  } catch {
    throw invalid();
  }
}

function asObject(value: unknown): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid();
  return { ...value };
}

function invalid() {
  return badRequest("Invalid policy document. Please check the policy syntax and ensure that Principals are valid.");
}
