import type * as sdk from "@aws-sdk/client-api-gateway";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import type { DomainMapping, DomainRecord } from "../../execute-api/port.ts";
import { may } from "../authorize.ts";
import { badRequest, basePathNotFound, conflict, limitExceeded } from "../errors.ts";
import { apiGatewayLimits as limits } from "../limits.ts";
import { readApi, readChild } from "../model.ts";
import { applyPatch, type PatchTable } from "../patch.ts";
import { pageOf, refuseMembers } from "../rules.ts";
import type { ApiGatewayNeeds } from "./needs.ts";

/** How AWS spells the empty base path in addresses and answers. */
const none = "(none)";

export function basePathMappingOperations(needs: ApiGatewayNeeds) {
  const { domains, ids } = needs;
  return {
    CreateBasePathMapping: {
      authorize: (input, call) => may("POST", call, pathOf(input.domainName)),
      run: async (input, call) => {
        refuseMembers("CreateBasePathMapping", input, ["domainNameId"]);
        const key = parseBasePath(input.basePath);
        const mapping: DomainMapping = {
          id: ids.random(6, lowerAlphanumeric),
          key,
          apiId: input.restApiId ?? "",
          ...(input.stage ? { stage: input.stage } : {}),
          kind: "rest",
        };
        await domains.change(call, input.domainName, async (domain, tx) => {
          await checkTarget(tx, call, mapping);
          if (domain.mappings.some((other) => other.key === key)) {
            throw conflict("Base path already exists for this domain name");
          }
          if (domain.mappings.length >= limits.mappingsPerDomainMax) {
            throw limitExceeded("base path mappings for this domain name", limits.mappingsPerDomainMax);
          }
          return { ...domain, mappings: [...domain.mappings, mapping] };
        });
        return describe(mapping);
      },
    },
    GetBasePathMapping: {
      authorize: (input, call) => may("GET", call, pathOf(input.domainName, input.basePath)),
      run: async (input, call) => {
        refuseMembers("GetBasePathMapping", input, ["domainNameId"]);
        return describe(find(await domains.get(call, input.domainName), input.basePath));
      },
    },
    GetBasePathMappings: {
      authorize: (input, call) => may("GET", call, pathOf(input.domainName)),
      run: async (input, call) => {
        refuseMembers("GetBasePathMappings", input, ["domainNameId"]);
        const { mappings } = await domains.get(call, input.domainName);
        const page = pageOf(mappings, (mapping) => mapping.id, input.limit, input.position);
        return { ...page, items: page.items.map(describe) };
      },
    },
    UpdateBasePathMapping: {
      authorize: (input, call) => may("PATCH", call, pathOf(input.domainName, input.basePath)),
      run: async (input, call) => {
        refuseMembers("UpdateBasePathMapping", input, ["domainNameId"]);
        let changed: DomainMapping | undefined;
        await domains.change(call, input.domainName, async (domain, tx) => {
          const before = find(domain, input.basePath);
          const next = applyPatch(before, input.patchOperations, patches);
          await checkTarget(tx, call, next);
          if (next.key !== before.key && domain.mappings.some((other) => other.key === next.key)) {
            throw conflict("Base path already exists for this domain name");
          }
          changed = next;
          return { ...domain, mappings: domain.mappings.map((other) => (other.id === next.id ? next : other)) };
        });
        return changed === undefined ? {} : describe(changed);
      },
    },
    DeleteBasePathMapping: {
      authorize: (input, call) => may("DELETE", call, pathOf(input.domainName, input.basePath)),
      run: async (input, call) => {
        refuseMembers("DeleteBasePathMapping", input, ["domainNameId"]);
        await domains.change(call, input.domainName, (domain) => {
          const gone = find(domain, input.basePath);
          return { ...domain, mappings: domain.mappings.filter((mapping) => mapping.id !== gone.id) };
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

const patches: PatchTable<DomainMapping> = [
  {
    path: /^\/(?:basePath|basepath)$/,
    apply: { replace: (mapping, value) => ({ ...mapping, key: parseBasePath(value) }) },
  },
  { path: /^\/restapiId$/i, apply: { replace: (mapping, apiId) => ({ ...mapping, apiId }) } },
  {
    path: /^\/stage$/,
    apply: {
      replace: ({ stage: _before, ...mapping }, stage) => (stage === "" ? mapping : { ...mapping, stage }),
      remove: ({ stage: _gone, ...mapping }) => mapping,
    },
  },
];

function pathOf(domainName: string | undefined, basePath?: string | undefined): string {
  return `/domainnames/${domainName}/basepathmappings${basePath === undefined ? "" : `/${basePath}`}`;
}

/** AWS: base path mappings have one level; API mappings of the other API have more. */
function parseBasePath(basePath: string | undefined): string {
  if (basePath === undefined || basePath === "" || basePath === none) return "";
  if (/^[\w.~!*'()@&=+$,:-]{1,128}$/.test(basePath)) return basePath;
  throw badRequest("Base path mapping can only contain letters, numbers and the characters $-_.+!*'()");
}

async function checkTarget(reader: Reader, call: Call, { apiId, stage }: DomainMapping): Promise<void> {
  const { id } = await readApi(reader, call, apiId);
  if (stage !== undefined) await readChild(reader, call, id, "stage", stage);
}

function find(domain: DomainRecord, basePath: string | undefined): DomainMapping {
  const key = basePath === none ? "" : basePath;
  const found = domain.mappings.find((mapping) => mapping.key === key);
  if (found === undefined) throw basePathNotFound();
  return found;
}

function describe({ key, apiId, stage }: DomainMapping) {
  return { basePath: key === "" ? none : key, restApiId: apiId, ...(stage === undefined ? {} : { stage }) };
}
