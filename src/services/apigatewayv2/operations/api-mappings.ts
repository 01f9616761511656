import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import type { DomainMapping, DomainRecord } from "../../execute-api/port.ts";
import { may } from "../authorize.ts";
import { badRequest, childNotFound, conflict, limitExceeded } from "../errors.ts";
import { apiGatewayV2Limits as limits } from "../limits.ts";
import { pageOf } from "../rules.ts";
import type { ApiGatewayV2Needs } from "./needs.ts";

export function apiMappingOperations(needs: ApiGatewayV2Needs) {
  const { domains, ids } = needs;
  const write = async (
    call: Call,
    domainName: string | undefined,
    next: (domain: DomainRecord) => Omit<DomainMapping, "kind">,
  ): Promise<DomainMapping> => {
    let written: DomainMapping | undefined;
    await domains.change(call, domainName, async (domain, tx) => {
      const wanted = next(domain);
      const kind = await domains.kindOf(tx, call, wanted.apiId, wanted.stage ?? "");
      const mapping = { ...wanted, kind };
      const others = domain.mappings.filter(({ id }) => id !== mapping.id);
      if (others.some(({ key }) => key === mapping.key)) {
        throw conflict("ApiMapping key already exists for this domain name");
      }
      if (others.some((other) => (other.kind === "websocket") !== (kind === "websocket"))) {
        throw badRequest("A domain name cannot have both WebSocket APIs and APIs of other protocols");
      }
      if (others.length >= limits.mappingsPerDomainMax)
        throw limitExceeded("API mappings", limits.mappingsPerDomainMax);
      written = mapping;
      const isNew = others.length === domain.mappings.length;
      return {
        ...domain,
        mappings: isNew
          ? [...domain.mappings, mapping]
          : domain.mappings.map((other) => (other.id === mapping.id ? mapping : other)),
      };
    });
    if (written === undefined) throw childNotFound("ApiMapping");
    return written;
  };
  return {
    CreateApiMapping: {
      authorize: (input, call) => may("POST", call, pathOf(input.DomainName)),
      run: async (input, call) => {
        const id = ids.random(6, lowerAlphanumeric);
        const key = parseKey(input.ApiMappingKey);
        return describe(
          await write(call, input.DomainName, () => ({ id, key, apiId: input.ApiId ?? "", stage: input.Stage ?? "" })),
        );
      },
    },
    GetApiMapping: {
      authorize: (input, call) => may("GET", call, pathOf(input.DomainName, input.ApiMappingId)),
      run: async (input, call) => describe(find(await domains.get(call, input.DomainName), input.ApiMappingId)),
    },
    GetApiMappings: {
      authorize: (input, call) => may("GET", call, pathOf(input.DomainName)),
      run: async (input, call) => {
        const { mappings } = await domains.get(call, input.DomainName);
        const page = pageOf(mappings, (mapping) => mapping.id, input.MaxResults, input.NextToken);
        return { ...page, Items: page.Items.map(describe) };
      },
    },
    UpdateApiMapping: {
      authorize: (input, call) => may("PATCH", call, pathOf(input.DomainName, input.ApiMappingId)),
      run: async (input, call) =>
        describe(
          await write(call, input.DomainName, (domain) => {
            const before = find(domain, input.ApiMappingId);
            const stage = input.Stage ?? before.stage;
            return {
              id: before.id,
              key: input.ApiMappingKey === undefined ? before.key : parseKey(input.ApiMappingKey),
              apiId: input.ApiId ?? before.apiId,
              ...(stage === undefined ? {} : { stage }),
            };
          }),
        ),
    },
    DeleteApiMapping: {
      authorize: (input, call) => may("DELETE", call, pathOf(input.DomainName, input.ApiMappingId)),
      run: async (input, call) => {
        await domains.change(call, input.DomainName, (domain) => {
          const gone = find(domain, input.ApiMappingId);
          return { ...domain, mappings: domain.mappings.filter(({ id }) => id !== gone.id) };
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

function pathOf(domainName: string | undefined, id?: string | undefined): string {
  return `/domainnames/${domainName}/apimappings${id === undefined ? "" : `/${id}`}`;
}

/** AWS: levels apart by slashes, of letters, digits and `$-_.+!*'()/`; none at the ends. */
function parseKey(key: string | undefined): string {
  if (key === undefined || key === "" || key === "(none)") return "";
  const isValid =
    key.length <= limits.mappingKeyCharactersMax &&
    key.split("/").length <= limits.mappingLevelsMax &&
    key.split("/").every((part) => /^[\w$.+!*'()-]+$/.test(part) && !/^\.{1,2}$/.test(part));
  if (isValid) return key;
  throw badRequest(
    "API mapping key should not start with a '/' or have consecutive '/'s, and can only contain letters, numbers and the following characters: $-_.+!*'()/",
  );
}

function find(domain: DomainRecord, id: string | undefined): DomainMapping {
  const found = domain.mappings.find((mapping) => mapping.id === id);
  if (found === undefined) throw childNotFound("ApiMapping");
  return found;
}

function describe({ id, key, apiId, stage }: DomainMapping) {
  return {
    ApiId: apiId,
    ApiMappingId: id,
    ApiMappingKey: key,
    // A base path mapping without a stage: the path names it.
    Stage: stage ?? "",
  };
}
