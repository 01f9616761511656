/** An object of a definition, of which nothing is known yet. */
export type Members = Readonly<Record<string, unknown>>;

/** Its members; none of what is no object. */
export function asMembers(value: unknown): Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** `x-amazon-apigateway-endpoint-configuration` of the whole definition, or of its servers, where definitions of OpenAPI 3 have it. */
export function endpointConfigurationOf(document: Members): Members {
  const name = "x-amazon-apigateway-endpoint-configuration";
  const servers: readonly unknown[] = Array.isArray(document["servers"]) ? document["servers"] : [];
  const everywhere = [document, ...servers.map(asMembers)].map((where) => Object.entries(asMembers(where[name])));
  return Object.fromEntries(everywhere.flat());
}
