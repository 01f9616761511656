import type * as sdk from "@aws-sdk/client-api-gateway";
import type { OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { badRequest, conflict, limitExceeded } from "../errors.ts";
import { apiGatewayLimits as limits } from "../limits.ts";
import { deleteChild, listChildren, readApi, readChild, writeChild } from "../model.ts";
import { applyPatch, type PatchTable } from "../patch.ts";
import type { DocumentationVersionRecord } from "../records.ts";
import { pageOf, wholeSecond } from "../rules.ts";
import type { ApiGatewayNeeds } from "./needs.ts";

const path = (input: { restApiId?: string | undefined; documentationVersion?: string | undefined }) =>
  `/restapis/${input.restApiId}/documentation/versions/${input.documentationVersion}`;

export function documentationVersionOperations(needs: ApiGatewayNeeds) {
  return {
    CreateDocumentationVersion: {
      authorize: (input, call) => may("POST", call, `/restapis/${input.restApiId}/documentation/versions`),
      run: async (input, call) => {
        const version = input.documentationVersion ?? "";
        if (version === "") throw badRequest("Documentation version must not be empty");
        const record = await needs.store.transact(async (tx) => {
          const api = await readApi(tx, call, input.restApiId);
          const versions = await listChildren(tx, call, api.id, "documentation-version");
          if (versions.some((other) => other.version === version)) {
            throw conflict(`Documentation version already exists: ${version}`);
          }
          if (versions.length >= limits.documentationVersionsPerApiMax) {
            throw limitExceeded("documentation versions for this API", limits.documentationVersionsPerApiMax);
          }
          const made: DocumentationVersionRecord = {
            version,
            ...(input.description === undefined ? {} : { description: input.description }),
            createdAt: call.now,
            parts: await listChildren(tx, call, api.id, "documentation-part"),
          };
          writeChild(tx, call, api.id, "documentation-version", version, made);
          if (input.stageName !== undefined) {
            const stage = await readChild(tx, call, api.id, "stage", input.stageName);
            writeChild(tx, call, api.id, "stage", stage.stageName, { ...stage, documentationVersion: version });
          }
          return made;
        });
        return describe(record);
      },
    },
    GetDocumentationVersion: {
      authorize: (input, call) => may("GET", call, path(input)),
      run: (input, call) =>
        needs.store.read(async (reader) =>
          describe(await readChild(reader, call, input.restApiId, "documentation-version", input.documentationVersion)),
        ),
    },
    GetDocumentationVersions: {
      authorize: (input, call) => may("GET", call, `/restapis/${input.restApiId}/documentation/versions`),
      run: async (input, call) => {
        const versions = await needs.store.read(async (reader) => {
          const api = await readApi(reader, call, input.restApiId);
          return listChildren(reader, call, api.id, "documentation-version");
        });
        const page = pageOf(versions, (item) => item.version, input.limit, input.position);
        return { ...page, items: page.items.map(describe) };
      },
    },
    UpdateDocumentationVersion: {
      authorize: (input, call) => may("PATCH", call, path(input)),
      run: async (input, call) => {
        const record = await needs.store.transact(async (tx) => {
          const { restApiId, documentationVersion } = input;
          const before = await readChild(tx, call, restApiId, "documentation-version", documentationVersion);
          const next = applyPatch(before, input.patchOperations, patches, ["/description"]);
          writeChild(tx, call, restApiId ?? "", "documentation-version", next.version, next);
          return next;
        });
        return describe(record);
      },
    },
    DeleteDocumentationVersion: {
      authorize: (input, call) => may("DELETE", call, path(input)),
      run: async (input, call) => {
        await needs.store.transact(async (tx) => {
          const { restApiId = "", documentationVersion } = input;
          const { version } = await readChild(tx, call, restApiId, "documentation-version", documentationVersion);
          const stages = await listChildren(tx, call, restApiId, "stage");
          const user = stages.find((stage) => stage.documentationVersion === version);
          if (user !== undefined) {
            throw conflict(`Documentation version ${version} is associated with the stage ${user.stageName}`);
          }
          deleteChild(tx, call, restApiId, "documentation-version", version);
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

const patches: PatchTable<DocumentationVersionRecord> = [
  { path: /^\/description$/, apply: { replace: (version, description) => ({ ...version, description }) } },
];

function describe({ version, description, createdAt }: DocumentationVersionRecord) {
  return {
    version,
    ...(description === undefined ? {} : { description }),
    createdDate: wholeSecond(createdAt),
  };
}
