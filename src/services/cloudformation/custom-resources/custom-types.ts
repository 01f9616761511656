import { parseArn } from "../../../aws/arn.ts";
import { cloudFormationLimits as limits } from "../limits.ts";
import type { Properties } from "../port.ts";
import type { ResourceDeclaration } from "../template/document.ts";
import { isList, isObject, type JsonObject, type JsonValue } from "../template/parse.ts";
import { TemplateError, templateError } from "../template/template-error.ts";

export const customResourceType = "AWS::CloudFormation::CustomResource";

/** Whether a type is one that its author's function answers for. Source: CloudFormation template reference. */
export function isCustomType(type: string): boolean {
  return type === customResourceType || /^Custom::[A-Za-z0-9_@-]{1,60}$/.test(type);
}

/** What can be seen of a custom resource before its values are known. @throws {TemplateError} */
export function checkCustomResource({ logicalId, type, properties }: ResourceDeclaration): void {
  const token = properties["ServiceToken"];
  if (token === undefined) {
    throw new TemplateError(
      `Properties validation failed for resource ${logicalId} with message:\n#: required key [ServiceToken] not found`,
    );
  }
  if (typeof token === "string") parseServiceToken(token, logicalId, type);
  if (!isObject(properties["ServiceTimeout"] ?? null)) timeoutMsOf(properties, logicalId);
}

/**
 * The function that a service token names, as `Invoke` takes it.
 *
 * @throws {TemplateError} for an SNS topic, which is not built, and for what is neither
 */
export function parseServiceToken(token: unknown, logicalId: string, type: string): string {
  const arn = typeof token === "string" ? parseArn(token) : undefined;
  if (arn?.service === "sns") {
    throw new TemplateError(
      `The property ServiceToken of resource [${logicalId}] of type ${type} names an SNS topic, which is not implemented by Cumulet`,
    );
  }
  if (typeof token !== "string" || arn?.service !== "lambda" || !/^function:[^:]+(?::[^:]+)?$/.test(arn.resource)) {
    throw templateError("Invalid service token.");
  }
  return token;
}

/** How long a provider has to answer. @throws {TemplateError} */
export function timeoutMsOf(properties: Properties, logicalId: string): number {
  const given = properties["ServiceTimeout"];
  if (given === undefined) return limits.customResourceSecondsMax * 1000;
  const seconds = typeof given === "string" && given.trim() !== "" ? Number(given) : given;
  if (typeof seconds !== "number" || !Number.isInteger(seconds) || seconds < 1) {
    throw refusedTimeout(logicalId);
  }
  if (seconds > limits.customResourceSecondsMax) throw refusedTimeout(logicalId);
  return seconds * 1000;
}

function refusedTimeout(logicalId: string): TemplateError {
  return new TemplateError(
    `ServiceTimeout of resource ${logicalId} must be an integer from 1 to ${limits.customResourceSecondsMax}`,
  );
}

/** AWS: providers see texts where a template has numbers and booleans. */
export function toTexts(value: JsonObject): JsonObject;
export function toTexts(value: JsonValue): JsonValue;
export function toTexts(value: JsonValue): JsonValue {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (isList(value)) return value.map((each) => toTexts(each));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, toTexts(each)]));
}
