import type * as sdk from "@aws-sdk/client-api-gateway";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { badRequest, conflict, limitExceeded } from "../errors.ts";
import { apiGatewayLimits as limits } from "../limits.ts";
import { deleteChild, listChildren, readApi, readChild, writeChild } from "../model.ts";
import { parseDocument } from "../openapi-document.ts";
import { parseLocation } from "../openapi-describing.ts";
import { readDocumentation } from "../openapi-documentation.ts";
import { pathItems } from "../openapi.ts";
import { applyPatch, type PatchTable } from "../patch.ts";
import type { DocumentationLocation, DocumentationPartRecord } from "../records.ts";
import { pageOf } from "../rules.ts";
import type { ApiGatewayNeeds } from "./needs.ts";

const path = (input: { restApiId?: string | undefined; documentationPartId?: string | undefined }) =>
  `/restapis/${input.restApiId}/documentation/parts/${input.documentationPartId}`;

export function documentationPartOperations(needs: ApiGatewayNeeds) {
  return {
    CreateDocumentationPart: {
      authorize: (input, call) => may("POST", call, `/restapis/${input.restApiId}/documentation/parts`),
      run: async (input, call) => {
        const part: DocumentationPartRecord = {
          id: needs.ids.random(6, lowerAlphanumeric),
          location: parseLocation({ ...input.location }),
          properties: checkProperties(input.properties),
        };
        await needs.store.transact(async (tx) => {
          const api = await readApi(tx, call, input.restApiId);
          const parts = await listChildren(tx, call, api.id, "documentation-part");
          if (parts.some((other) => placeOf(other.location) === placeOf(part.location))) {
            throw conflict("Documentation part already exists for the specified location");
          }
          checkRoom(parts.length + 1);
          writeChild(tx, call, api.id, "documentation-part", part.id, part);
        });
        return describe(part);
      },
    },
    GetDocumentationPart: {
      authorize: (input, call) => may("GET", call, path(input)),
      run: (input, call) =>
        needs.store.read(async (reader) =>
          describe(await readChild(reader, call, input.restApiId, "documentation-part", input.documentationPartId)),
        ),
    },
    GetDocumentationParts: {
      authorize: (input, call) => may("GET", call, `/restapis/${input.restApiId}/documentation/parts`),
      run: async (input, call) => {
        const parts = await needs.store.read(async (reader) => {
          const api = await readApi(reader, call, input.restApiId);
          const all = await listChildren(reader, call, api.id, "documentation-part");
          if (input.locationStatus !== "UNDOCUMENTED") return all;
          return undocumented(reader, call, api.id, all);
        });
        const { type, nameQuery, path: under } = input;
        const wanted = parts.filter(
          ({ location }) =>
            (type === undefined || location.type === type) &&
            (nameQuery === undefined || (location.name ?? "").includes(nameQuery)) &&
            (under === undefined || location.path === under),
        );
        const page = pageOf(wanted, (part) => part.id, input.limit, input.position);
        return { ...page, items: page.items.map(describe) };
      },
    },
    UpdateDocumentationPart: {
      authorize: (input, call) => may("PATCH", call, path(input)),
      run: async (input, call) => {
        const part = await needs.store.transact(async (tx) => {
          const before = await readChild(tx, call, input.restApiId, "documentation-part", input.documentationPartId);
          const next = applyPatch(before, input.patchOperations, patches, ["/properties"]);
          writeChild(tx, call, input.restApiId ?? "", "documentation-part", next.id, next);
          return next;
        });
        return describe(part);
      },
    },
    DeleteDocumentationPart: {
      authorize: (input, call) => may("DELETE", call, path(input)),
      run: async (input, call) => {
        await needs.store.transact(async (tx) => {
          const { id } = await readChild(tx, call, input.restApiId, "documentation-part", input.documentationPartId);
          deleteChild(tx, call, input.restApiId ?? "", "documentation-part", id);
        });
        return {};
      },
    },
    ImportDocumentationParts: {
      authorize: (input, call) => may("PUT", call, `/restapis/${input.restApiId}/documentation/parts`),
      run: async (input, call) => {
        const document = parseDocument(input.body ?? new Uint8Array());
        const warnings: string[] = [];
        const { parts } = readDocumentation(document, pathItems(document, ""), warnings);
        if (input.failOnWarnings === true && warnings.length > 0) throw badRequest(warnings.join("\n"));
        const ids = await needs.store.transact(async (tx) => {
          const api = await readApi(tx, call, input.restApiId);
          const known = new Map(
            (await listChildren(tx, call, api.id, "documentation-part")).map((part) => [placeOf(part.location), part]),
          );
          if (input.mode === "overwrite") {
            for (const part of known.values()) deleteChild(tx, call, api.id, "documentation-part", part.id);
          }
          checkRoom(new Set([...parts.map(({ location }) => placeOf(location)), ...known.keys()]).size);
          return parts.map((part) => {
            const id = known.get(placeOf(part.location))?.id ?? needs.ids.random(6, lowerAlphanumeric);
            const record = { id, ...part };
            known.set(placeOf(part.location), record);
            writeChild(tx, call, api.id, "documentation-part", id, record);
            return id;
          });
        });
        return { ids, warnings };
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

const patches: PatchTable<DocumentationPartRecord> = [
  {
    path: /^\/properties$/,
    apply: { replace: (part, properties) => ({ ...part, properties: checkProperties(properties) }) },
  },
];

function checkRoom(count: number): void {
  if (count > limits.documentationPartsPerApiMax) {
    throw limitExceeded("documentation parts for this API", limits.documentationPartsPerApiMax);
  }
}

function checkProperties(properties: string | undefined): string {
  let value: unknown;
  try {
    value = JSON.parse(properties ?? "");
  } catch {
    value = undefined;
  }
  if (properties !== undefined && typeof value === "object" && value !== null) return properties;
  throw badRequest("Documentation part properties must be a valid JSON object");
}

/** What may be documented and is not: methods and resources, as parts without properties. */
async function undocumented(
  reader: Reader,
  call: Call,
  apiId: string,
  parts: readonly DocumentationPartRecord[],
): Promise<DocumentationPartRecord[]> {
  const documented = new Set(parts.map(({ location }) => placeOf(location)));
  const found: DocumentationLocation[] = [{ type: "API" }];
  for (const { name } of await listChildren(reader, call, apiId, "model")) found.push({ type: "MODEL", name });
  for (const { path, methods } of await listChildren(reader, call, apiId, "resource")) {
    found.push({ type: "RESOURCE", path });
    for (const method of Object.keys(methods)) found.push({ type: "METHOD", path, method });
  }
  return found
    .filter((location) => !documented.has(placeOf(location)))
    .map((location) => ({ id: "", location, properties: "" }));
}

function placeOf({ type, path, method, statusCode, name }: DocumentationLocation): string {
  return JSON.stringify([type, path, method, statusCode, name]);
}

function describe({ id, location, properties }: DocumentationPartRecord) {
  return {
    ...(id === "" ? {} : { id }),
    location: { ...location },
    ...(properties === "" ? {} : { properties }),
  };
}
