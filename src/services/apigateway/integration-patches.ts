import { notImplemented } from "../../aws/error.ts";
import { badRequest } from "./errors.ts";
import { parseContentHandling, parseTransferMode } from "./integration-rules.ts";
import type { IntegrationRecord, IntegrationResponseRecord } from "./model.ts";
import type { PatchTable } from "./patch.ts";
import { parsePassthrough } from "./rules.ts";

/** What UpdateIntegration changes. Source: "Patch operations", UpdateIntegration. What comes of it is checked as a whole. */
export const integrationPatches: PatchTable<IntegrationRecord> = [
  replacing("uri", (integration, uri) => ({ ...integration, uri })),
  replacing("httpMethod", (integration, httpMethod) => ({ ...integration, httpMethod })),
  replacing("type", (integration, value) => ({ ...integration, type: parseType(value) })),
  replacing("credentials", ({ credentials: _before, ...integration }, credentials) =>
    credentials === "" ? integration : { ...integration, credentials },
  ),
  replacing("connectionType", (integration, value) => {
    if (value !== "INTERNET") throw notImplemented(`An integration with connectionType ${value}`);
    return { ...integration, connectionType: value };
  }),
  replacing("timeoutInMillis", (integration, value) => ({ ...integration, timeoutMs: Number(value) })),
  replacing("passthroughBehavior", (integration, value) => ({
    ...integration,
    passthroughBehavior: parsePassthrough(value),
  })),
  replacing("contentHandling", ({ contentHandling: _before, ...integration }, value) => ({
    ...integration,
    ...parseContentHandling(value),
  })),
  replacing("responseTransferMode", ({ responseTransferMode: _before, ...integration }, value) => ({
    ...integration,
    ...parseTransferMode(value),
  })),
  replacing("cacheNamespace", (integration, cacheNamespace) => ({ ...integration, cacheNamespace })),
  replacing("tlsConfig/insecureSkipVerification", (integration, value) => ({
    ...integration,
    insecureSkipVerification: value === "true",
  })),
  ...mapPatches<IntegrationRecord, "requestParameters">("requestParameters"),
  ...mapPatches<IntegrationRecord, "requestTemplates">("requestTemplates"),
  {
    path: /^\/cacheKeyParameters\/[^/]+$/,
    apply: {
      add: (integration, _value, name) => ({
        ...integration,
        cacheKeyParameters: [...(integration.cacheKeyParameters ?? []).filter((each) => each !== name), name],
      }),
      remove: (integration, _value, name) => ({
        ...integration,
        cacheKeyParameters: (integration.cacheKeyParameters ?? []).filter((each) => each !== name),
      }),
    },
  },
];

export const integrationResponsePatches: PatchTable<IntegrationResponseRecord> = [
  replacing("selectionPattern", ({ selectionPattern: _before, ...response }, selectionPattern) =>
    selectionPattern === "" ? response : { ...response, selectionPattern },
  ),
  replacing("contentHandling", ({ contentHandling: _before, ...response }, value) => ({
    ...response,
    ...parseContentHandling(value),
  })),
  ...mapPatches<IntegrationResponseRecord, "responseParameters">("responseParameters"),
  ...mapPatches<IntegrationResponseRecord, "responseTemplates">("responseTemplates"),
];

function replacing<T>(path: string, apply: (record: T, value: string) => T): PatchTable<T>[number] {
  return { path: new RegExp(`^/${path}$`), apply: { replace: apply } };
}

type Texts = Readonly<Record<string, string>>;

function mapPatches<T extends { readonly [K in Member]?: Texts }, Member extends string>(
  member: Member,
): PatchTable<T> {
  const put = (record: T, value: string, name: string): T => ({
    ...record,
    [member]: { ...record[member], [name]: value },
  });
  return [
    {
      path: new RegExp(`^/${member}/[^/]+$`),
      apply: {
        add: put,
        replace: put,
        remove: (record, _value, name) => {
          const { [name]: gone, ...others }: Record<string, string> = { ...record[member] };
          if (gone === undefined) {
            throw badRequest(`Invalid parameter name specified: ${name}`);
          }
          return { ...record, [member]: others };
        },
      },
    },
  ];
}

function parseType(value: string): IntegrationRecord["type"] {
  const found = (["AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK"] as const).find((type) => type === value);
  if (found === undefined) throw badRequest("Invalid integration type specified");
  return found;
}
