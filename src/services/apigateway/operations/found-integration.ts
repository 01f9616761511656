import { childNotFound, statusCodeNotFound } from "../errors.ts";
import type { IntegrationRecord, MethodRecord } from "../model.ts";

/** Throws NotFoundException for a method without an integration. */
export function integrationOf(method: MethodRecord): IntegrationRecord {
  if (method.integration === undefined) throw childNotFound("Integration");
  return method.integration;
}

/** Throws NotFoundException. */
export function integrationResponseOf(method: MethodRecord, statusCode: string | undefined) {
  const response = integrationOf(method).responses[statusCode ?? ""];
  if (response === undefined) throw statusCodeNotFound();
  return response;
}
