import type * as sdk from "@aws-sdk/client-api-gateway";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { badRequest, childNotFound, conflict, limitExceeded } from "../errors.ts";
import { apiGatewayLimits as limits } from "../limits.ts";
import { deleteChild, listChildren, readApi, readChild, type ResourceRecord, writeChild } from "../model.ts";
import { applyPatch, type PatchTable } from "../patch.ts";
import { checkPathPart, pageOf } from "../rules.ts";
import { describeMethod } from "./methods.ts";
import type { ApiGatewayNeeds } from "./needs.ts";

export function resourceOperations(needs: ApiGatewayNeeds) {
  return {
    CreateResource: {
      authorize: (input, call) => may("POST", call, `/restapis/${input.restApiId}/resources/${input.parentId}`),
      run: async (input, call) => {
        const pathPart = input.pathPart ?? "";
        checkPathPart(pathPart);
        const resource = await needs.store.transact(async (tx) => {
          const parent = await readChild(tx, call, input.restApiId, "resource", input.parentId);
          const apiId = input.restApiId ?? "";
          const resources = await listChildren(tx, call, apiId, "resource");
          checkPlace(pathPart, parent, resources);
          if (resources.length >= limits.resourcesPerApiMax) {
            throw limitExceeded("resources for this API", limits.resourcesPerApiMax);
          }
          const made: ResourceRecord = {
            id: needs.ids.random(6, lowerAlphanumeric),
            parentId: parent.id,
            pathPart,
            path: pathOf(parent, pathPart),
            methods: {},
          };
          writeChild(tx, call, apiId, "resource", made.id, made);
          return made;
        });
        return describeResource(resource, false);
      },
    },
    GetResource: {
      authorize: (input, call) => may("GET", call, `/restapis/${input.restApiId}/resources/${input.resourceId}`),
      run: (input, call) =>
        needs.store.read(async (reader) =>
          describeResource(
            await readChild(reader, call, input.restApiId, "resource", input.resourceId),
            input.embed?.includes("methods") === true,
          ),
        ),
    },
    GetResources: {
      authorize: (input, call) => may("GET", call, `/restapis/${input.restApiId}/resources`),
      run: async (input, call) => {
        const resources = await needs.store.read(async (reader) => {
          const api = await readApi(reader, call, input.restApiId);
          return listChildren(reader, call, api.id, "resource");
        });
        const page = pageOf(resources, (resource) => resource.id, input.limit, input.position);
        const embed = input.embed?.includes("methods") === true;
        return { ...page, items: page.items.map((resource) => describeResource(resource, embed)) };
      },
    },
    UpdateResource: {
      authorize: (input, call) => may("PATCH", call, `/restapis/${input.restApiId}/resources/${input.resourceId}`),
      run: async (input, call) => {
        const resource = await needs.store.transact(async (tx) => {
          const before = await readChild(tx, call, input.restApiId, "resource", input.resourceId);
          const apiId = input.restApiId ?? "";
          const { parentId, pathPart } = applyPatch(before, input.patchOperations, patches, documentedPaths);
          if (parentId === undefined || pathPart === undefined) throw badRequest("Root resource cannot be updated");
          checkPathPart(pathPart);
          const resources = await listChildren(tx, call, apiId, "resource");
          const parent = resources.find((other) => other.id === parentId);
          if (parent === undefined) throw childNotFound("Resource");
          if (parent.id === before.id || parent.path.startsWith(`${before.path}/`)) {
            throw badRequest("A resource cannot be moved below itself");
          }
          checkPlace(
            pathPart,
            parent,
            resources.filter((other) => other.id !== before.id),
          );
          const next: ResourceRecord = { ...before, parentId, pathPart, path: pathOf(parent, pathPart) };
          const below = resources.filter((other) => other.path.startsWith(`${before.path}/`));
          if (below.length > 0 && next.path.endsWith("+}")) {
            throw badRequest(`Cannot create a child of a resource with a greedy path variable: ${next.path}`);
          }
          writeChild(tx, call, apiId, "resource", next.id, next);
          for (const child of below) {
            const path = `${next.path}${child.path.slice(before.path.length)}`;
            writeChild(tx, call, apiId, "resource", child.id, { ...child, path });
          }
          return next;
        });
        return describeResource(resource, false);
      },
    },
    DeleteResource: {
      authorize: (input, call) => may("DELETE", call, `/restapis/${input.restApiId}/resources/${input.resourceId}`),
      run: async (input, call) => {
        await needs.store.transact(async (tx) => {
          const resource = await readChild(tx, call, input.restApiId, "resource", input.resourceId);
          const apiId = input.restApiId ?? "";
          if (resource.parentId === undefined) throw badRequest("Root resource cannot be deleted");
          for (const other of await listChildren(tx, call, apiId, "resource")) {
            if (other.id === resource.id || other.path.startsWith(`${resource.path}/`)) {
              deleteChild(tx, call, apiId, "resource", other.id);
            }
          }
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

const patches: PatchTable<ResourceRecord> = [
  { path: /^\/pathPart$/, apply: { replace: (resource, pathPart) => ({ ...resource, pathPart }) } },
  { path: /^\/parentId$/, apply: { replace: (resource, parentId) => ({ ...resource, parentId }) } },
];

/** Source: "Patch operations", UpdateResource. */
const documentedPaths = ["/parentId", "/pathPart"];

function pathOf(parent: ResourceRecord, pathPart: string): string {
  return parent.path === "/" ? `/${pathPart}` : `${parent.path}/${pathPart}`;
}

/** Throws for a part that its parent, or a resource beside it, does not allow. */
function checkPlace(pathPart: string, parent: ResourceRecord, resources: readonly ResourceRecord[]): void {
  if (parent.path.endsWith("+}")) {
    throw badRequest(`Cannot create a child of a resource with a greedy path variable: ${parent.path}`);
  }
  const siblings = resources.filter((other) => other.parentId === parent.id);
  if (siblings.some((other) => other.pathPart === pathPart)) {
    throw conflict(`Another resource with the same parent already has this name: ${pathPart}`);
  }
  const variable = /^\{[^+]*\}$/;
  const rival = siblings.find((other) => variable.test(other.pathPart ?? ""));
  if (variable.test(pathPart) && rival !== undefined) {
    throw badRequest(
      `A sibling (${rival.pathPart}) of this resource already has a variable path part -- only one is allowed`,
    );
  }
}

function describeResource(resource: ResourceRecord, embedMethods: boolean) {
  const methods = Object.values(resource.methods);
  return {
    id: resource.id,
    ...(resource.parentId === undefined ? {} : { parentId: resource.parentId }),
    ...(resource.pathPart === undefined ? {} : { pathPart: resource.pathPart }),
    path: resource.path,
    ...(methods.length === 0
      ? {}
      : {
          resourceMethods: Object.fromEntries(
            methods.map((method) => [method.httpMethod, embedMethods ? describeMethod(method, resource.id) : {}]),
          ),
        }),
  };
}
