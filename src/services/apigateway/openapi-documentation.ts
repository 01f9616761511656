import type { Members } from "../../aws/open-api.ts";
import { apiGatewayLimits as limits } from "./limits.ts";
import { readDescriptions } from "./openapi-descriptions.ts";
import { type DocumentationDefinition, readListed } from "./openapi-describing.ts";

/**
 * What a definition documents: the parts that it lists, and its descriptions of whatever has none of them.
 *
 * @param items the definition's paths
 * @param warnings is told of descriptions that are too many
 */
export function readDocumentation(
  document: Members,
  items: readonly (readonly [path: string, item: Members])[],
  warnings: string[],
): { parts: DocumentationDefinition[]; version?: string } {
  const listed = readListed(document);
  const places = new Set(listed.parts.map(({ location }) => JSON.stringify(location)));
  const parts = [...listed.parts];
  for (const part of readDescriptions(document, new Map(items))) {
    const place = JSON.stringify(part.location);
    if (places.has(place)) continue;
    if (parts.length >= limits.documentationPartsPerApiMax) {
      warnings.push(`Ignoring descriptions beyond ${limits.documentationPartsPerApiMax} documentation parts`);
      break;
    }
    places.add(place);
    parts.push(part);
  }
  return { ...listed, parts };
}
