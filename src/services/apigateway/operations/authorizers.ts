import type * as sdk from "@aws-sdk/client-api-gateway";
import { parseArn } from "../../../aws/arn.ts";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Reader, Transaction } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { type AuthorizerRecord, describeAuthorizer, publishedAuthorizer } from "../authorizer-record.ts";
import { checkAuthorizer, ttlSecondsDefault } from "../authorizer-rules.ts";
import { may } from "../authorize.ts";
import { writeStage } from "../deploy.ts";
import { badRequest, conflict, limitExceeded } from "../errors.ts";
import { apiGatewayLimits as limits } from "../limits.ts";
import { deleteChild, findChild, listChildren, readApi, readChild, writeChild } from "../model.ts";
import { applyPatch, type PatchTable } from "../patch.ts";
import { pageOf } from "../rules.ts";
import type { ApiGatewayNeeds } from "./needs.ts";

export function authorizerOperations(needs: ApiGatewayNeeds) {
  return {
    CreateAuthorizer: {
      authorize: (input, call) => may("POST", call, `/restapis/${input.restApiId}/authorizers`),
      run: async (input, call) => {
        const type = parseType(input.type);
        const record = checkAuthorizer({
          id: needs.ids.random(6, lowerAlphanumeric),
          name: input.name ?? "",
          type,
          authType: input.authType ?? defaultAuthType(type),
          ...(input.providerARNs === undefined ? {} : { providerArns: input.providerARNs }),
          ...(input.authorizerUri === undefined ? {} : { authorizerUri: input.authorizerUri }),
          ...(input.authorizerCredentials === undefined ? {} : { authorizerCredentials: input.authorizerCredentials }),
          ...(input.identitySource === undefined ? {} : { identitySource: input.identitySource }),
          ...(input.identityValidationExpression === undefined
            ? {}
            : { identityValidationExpression: input.identityValidationExpression }),
          ttlSeconds: input.authorizerResultTtlInSeconds ?? ttlSecondsDefault,
        });
        await mayPass(call, undefined, record);
        await needs.store.transact(async (tx) => {
          const api = await readApi(tx, call, input.restApiId);
          const others = await listChildren(tx, call, api.id, "authorizer");
          if (others.length >= limits.authorizersPerApiMax) {
            throw limitExceeded("authorizers for this API", limits.authorizersPerApiMax);
          }
          checkName(others, record);
          writeChild(tx, call, api.id, "authorizer", record.id, record);
        });
        return describeAuthorizer(record);
      },
    },
    GetAuthorizer: {
      authorize: (input, call) => may("GET", call, `/restapis/${input.restApiId}/authorizers/${input.authorizerId}`),
      run: (input, call) =>
        needs.store.read(async (reader) =>
          describeAuthorizer(await readChild(reader, call, input.restApiId, "authorizer", input.authorizerId)),
        ),
    },
    GetAuthorizers: {
      authorize: (input, call) => may("GET", call, `/restapis/${input.restApiId}/authorizers`),
      run: async (input, call) => {
        const authorizers = await needs.store.read(async (reader) => {
          const api = await readApi(reader, call, input.restApiId);
          return listChildren(reader, call, api.id, "authorizer");
        });
        const page = pageOf(authorizers, (item) => item.id, input.limit, input.position);
        return { ...page, items: page.items.map(describeAuthorizer) };
      },
    },
    UpdateAuthorizer: {
      authorize: (input, call) => may("PATCH", call, `/restapis/${input.restApiId}/authorizers/${input.authorizerId}`),
      run: async (input, call) => {
        const change = (before: AuthorizerRecord) =>
          checkAuthorizer(applyPatch(before, input.patchOperations, patches, documentedPaths));
        const read = (reader: Reader) => readChild(reader, call, input.restApiId, "authorizer", input.authorizerId);
        const now = await needs.store.read(read);
        await mayPass(call, now, change(now));
        const record = await needs.store.transact(async (tx) => {
          const next = change(await read(tx));
          const others = await listChildren(tx, call, input.restApiId ?? "", "authorizer");
          checkName(
            others.filter((other) => other.id !== next.id),
            next,
          );
          writeChild(tx, call, input.restApiId ?? "", "authorizer", next.id, next);
          return next;
        });
        return describeAuthorizer(record);
      },
    },
    DeleteAuthorizer: {
      authorize: (input, call) => may("DELETE", call, `/restapis/${input.restApiId}/authorizers/${input.authorizerId}`),
      run: async (input, call) => {
        await needs.store.transact(async (tx) => {
          const { id, name } = await readChild(tx, call, input.restApiId, "authorizer", input.authorizerId);
          await checkUnused(tx, call, input.restApiId ?? "", id, name);
          deleteChild(tx, call, input.restApiId ?? "", "authorizer", id);
        });
        return {};
      },
    },
    TestInvokeAuthorizer: {
      authorize: (input, call) => may("POST", call, `/restapis/${input.restApiId}/authorizers/${input.authorizerId}`),
      run: async (input, call) => {
        const record = await needs.store.read((reader) =>
          readChild(reader, call, input.restApiId, "authorizer", input.authorizerId),
        );
        const many = Object.entries(input.multiValueHeaders ?? {}).map(([name, values]) => [name, values.at(-1) ?? ""]);
        const { clientStatus, log, latencyMs, principalId, policy, claims } = await needs.testAuthorizer({
          place: { account: call.account, region: call.region, apiId: input.restApiId ?? "" },
          authorizer: publishedAuthorizer(record),
          headers: { ...Object.fromEntries(many), ...input.headers },
          pathWithQueryString: input.pathWithQueryString ?? "",
          stageVariables: input.stageVariables ?? {},
          additionalContext: input.additionalContext ?? {},
        });
        return {
          clientStatus,
          log,
          latency: latencyMs,
          ...(principalId === undefined ? {} : { principalId }),
          ...(policy === undefined ? {} : { policy }),
          ...(claims === undefined ? {} : { claims: { ...claims } }),
          authorization: {},
        };
      },
    },
    FlushStageAuthorizersCache: {
      authorize: (input, call) =>
        may("DELETE", call, `/restapis/${input.restApiId}/stages/${input.stageName}/cache/authorizers`),
      run: async (input, call) => {
        await needs.store.transact(async (tx) => {
          const stage = await readChild(tx, call, input.restApiId, "stage", input.stageName);
          const deployment = await findChild(tx, call, input.restApiId ?? "", "deployment", stage.deploymentId);
          if (deployment === undefined) throw badRequest("Deployment id does not exist");
          // Told to every node with the stage itself: what its authorizers said before is forgotten.
          const authorizersFlushedAt = Math.max(call.now, (stage.authorizersFlushedAt ?? 0) + 1);
          await writeStage(needs, tx, call, input.restApiId ?? "", { ...stage, authorizersFlushedAt }, deployment);
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

function parseType(type: string | undefined): AuthorizerRecord["type"] {
  if (type === "TOKEN" || type === "REQUEST" || type === "COGNITO_USER_POOLS") return type;
  throw badRequest("Invalid authorizer type specified. Valid options are TOKEN, REQUEST, and COGNITO_USER_POOLS");
}

function defaultAuthType(type: AuthorizerRecord["type"]): string {
  return type === "COGNITO_USER_POOLS" ? "cognito_user_pools" : "custom";
}

function checkName(others: readonly AuthorizerRecord[], { name }: AuthorizerRecord): void {
  if (others.some((other) => other.name === name)) {
    throw conflict(`Authorizer name must be unique. Authorizer ${name} already exists in this RestApi.`);
  }
}

async function checkUnused(tx: Transaction, call: Call, apiId: string, id: string, name: string): Promise<void> {
  for (const resource of await listChildren(tx, call, apiId, "resource")) {
    const user = Object.values(resource.methods).find((method) => method.authorizerId === id);
    if (user !== undefined) {
      throw conflict(
        `Cannot delete authorizer '${name}', is referenced by method '${user.httpMethod} ${resource.path}'`,
      );
    }
  }
}

/** Whoever gives API Gateway a role must be allowed to pass it. */
async function mayPass(call: Call, before: AuthorizerRecord | undefined, after: AuthorizerRecord): Promise<void> {
  const role = after.authorizerCredentials;
  if (!role || role === before?.authorizerCredentials) return;
  await call.authorize({
    action: "iam:PassRole",
    resource: role,
    resourceAccount: parseArn(role)?.account ?? "",
    context: { "iam:PassedToService": ["apigateway.amazonaws.com"] },
  });
}

const patches: PatchTable<AuthorizerRecord> = [
  { path: /^\/name$/, apply: { replace: (record, name) => ({ ...record, name }) } },
  { path: /^\/type$/, apply: { replace: (record, type) => ({ ...record, type: parseType(type) }) } },
  { path: /^\/authType$/, apply: { replace: (record, authType) => ({ ...record, authType }) } },
  { path: /^\/authorizerUri$/, apply: { replace: (record, authorizerUri) => ({ ...record, authorizerUri }) } },
  {
    path: /^\/authorizerCredentials$/,
    apply: { replace: (record, authorizerCredentials) => ({ ...record, authorizerCredentials }) },
  },
  { path: /^\/identitySource$/, apply: { replace: (record, identitySource) => ({ ...record, identitySource }) } },
  {
    path: /^\/identityValidationExpression$/,
    apply: { replace: (record, identityValidationExpression) => ({ ...record, identityValidationExpression }) },
  },
  {
    path: /^\/authorizerResultTtlInSeconds$/,
    apply: { replace: (record, value) => ({ ...record, ttlSeconds: value === "" ? Number.NaN : Number(value) }) },
  },
  {
    path: /^\/providerARNs$/,
    apply: {
      add: (record, arn) => ({ ...record, providerArns: [...new Set([...(record.providerArns ?? []), arn])] }),
      remove: (record, arn) => ({
        ...record,
        providerArns: (record.providerArns ?? []).filter((known) => known !== arn),
      }),
    },
  },
];

/** Source: "Patch operations", UpdateAuthorizer. */
const documentedPaths = [
  "/authorizerUri",
  "/authorizerCredentials",
  "/authorizerResultTtlInSeconds",
  "/authType",
  "/identitySource",
  "/identityValidationExpression",
  "/name",
  "/providerARNs",
  "/type",
];
