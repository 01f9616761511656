import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { parseArn } from "../../../aws/arn.ts";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { type AuthorizerRecord, describeAuthorizer } from "../authorizer-record.ts";
import { type AuthorizerInput, parseAuthorizer, toInput } from "../authorizer-rules.ts";
import { may } from "../authorize.ts";
import { autoDeploy, publishStage } from "../deploy.ts";
import { badRequest, childNotFound, conflict, limitExceeded } from "../errors.ts";
import { apiGatewayV2Limits as limits } from "../limits.ts";
import { deleteChild, findChild, listChildren, readApi, writeChild } from "../model.ts";
import { pageOf } from "../rules.ts";
import { parseWebSocketAuthorizer } from "../websocket/authorizer-rules.ts";
import type { ApiGatewayV2Needs } from "./needs.ts";

export function authorizerOperations(needs: ApiGatewayV2Needs) {
  return {
    CreateAuthorizer: {
      authorize: (input, call) => may("POST", call, `/apis/${input.ApiId}/authorizers`),
      run: async (input, call) => {
        const apiId = input.ApiId ?? "";
        const authorizerId = needs.ids.random(6, lowerAlphanumeric);
        const { webSocket } = await needs.store.read((reader) => readApi(reader, call, apiId));
        const parse = webSocket === undefined ? parseAuthorizer : parseWebSocketAuthorizer;
        const record = parse(authorizerId, input);
        await mayPass(call, undefined, record);
        await needs.store.transact(async (tx) => {
          await readApi(tx, call, apiId);
          const others = await listChildren(tx, call, apiId, "authorizer");
          if (others.length >= limits.authorizersPerApiMax) {
            throw limitExceeded("Authorizers", limits.authorizersPerApiMax);
          }
          writeChild(tx, call, apiId, "authorizer", record.authorizerId, record);
        });
        return describeAuthorizer(record);
      },
    },
    GetAuthorizer: {
      authorize: (input, call) => may("GET", call, `/apis/${input.ApiId}/authorizers/${input.AuthorizerId}`),
      run: (input, call) =>
        needs.store.read(async (reader) =>
          describeAuthorizer(await readAuthorizer(reader, call, input.ApiId, input.AuthorizerId)),
        ),
    },
    GetAuthorizers: {
      authorize: (input, call) => may("GET", call, `/apis/${input.ApiId}/authorizers`),
      run: async (input, call) => {
        const authorizers = await needs.store.read(async (reader) => {
          await readApi(reader, call, input.ApiId ?? "");
          return listChildren(reader, call, input.ApiId ?? "", "authorizer");
        });
        const page = pageOf(authorizers, (item) => item.authorizerId, input.MaxResults, input.NextToken);
        return { ...page, Items: page.Items.map(describeAuthorizer) };
      },
    },
    UpdateAuthorizer: {
      authorize: (input, call) => may("PATCH", call, `/apis/${input.ApiId}/authorizers/${input.AuthorizerId}`),
      run: async (input, call) => {
        const apiId = input.ApiId ?? "";
        const read = (reader: Reader) => readAuthorizer(reader, call, apiId, input.AuthorizerId);
        const now = await needs.store.read(read);
        await mayPass(call, now, change(now, input));
        const record = await needs.store.transact(async (tx) => {
          const next = change(await read(tx), input);
          writeChild(tx, call, apiId, "authorizer", next.authorizerId, next);
          await autoDeploy(needs, tx, call, apiId, call.now);
          return next;
        });
        return describeAuthorizer(record);
      },
    },
    DeleteAuthorizer: {
      authorize: (input, call) => may("DELETE", call, `/apis/${input.ApiId}/authorizers/${input.AuthorizerId}`),
      run: async (input, call) => {
        const apiId = input.ApiId ?? "";
        await needs.store.transact(async (tx) => {
          const { authorizerId } = await readAuthorizer(tx, call, apiId, input.AuthorizerId);
          const routes = [
            ...(await listChildren(tx, call, apiId, "route")),
            ...(await listChildren(tx, call, apiId, "webSocketRoute")),
          ];
          const user = routes.find((route) => route.authorizerId === authorizerId);
          if (user !== undefined) {
            throw conflict(
              `Cannot delete Authorizer '${authorizerId}' as it is referenced by the route '${user.routeKey}'`,
            );
          }
          deleteChild(tx, call, apiId, "authorizer", authorizerId);
        });
        return {};
      },
    },
    ResetAuthorizersCache: {
      authorize: (input, call) =>
        may("DELETE", call, `/apis/${input.ApiId}/stages/${input.StageName}/cache/authorizers`),
      run: async (input, call) => {
        const apiId = input.ApiId ?? "";
        await needs.store.transact(async (tx) => {
          await readApi(tx, call, apiId);
          const stage = await findChild(tx, call, apiId, "stage", input.StageName ?? "");
          if (stage === undefined) throw childNotFound("stage");
          const deployment = await findChild(tx, call, apiId, "deployment", stage.deploymentId ?? "");
          if (deployment === undefined) throw badRequest("The stage has not been deployed");
          // Told to every node with the stage itself: what its authorizers said before is forgotten.
          const authorizersFlushedAt = Math.max(call.now, (stage.authorizersFlushedAt ?? 0) + 1);
          const next = { ...stage, authorizersFlushedAt };
          writeChild(tx, call, apiId, "stage", stage.stageName, next);
          publishStage(needs, tx, call, apiId, next, deployment);
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

async function readAuthorizer(
  reader: Reader,
  call: Call,
  apiId: string | undefined,
  authorizerId: string | undefined,
): Promise<AuthorizerRecord> {
  await readApi(reader, call, apiId ?? "");
  const authorizer = await findChild(reader, call, apiId ?? "", "authorizer", authorizerId ?? "");
  if (authorizer === undefined) throw childNotFound("Authorizer");
  return authorizer;
}

/** What a request gives replaces what there is. */
function change(before: AuthorizerRecord, input: AuthorizerInput): AuthorizerRecord {
  const known = toInput(before);
  const parse = before.type === "REQUEST" && before.isWebSocket === true ? parseWebSocketAuthorizer : parseAuthorizer;
  return parse(before.authorizerId, {
    AuthorizerCredentialsArn: input.AuthorizerCredentialsArn ?? known.AuthorizerCredentialsArn,
    AuthorizerPayloadFormatVersion: input.AuthorizerPayloadFormatVersion ?? known.AuthorizerPayloadFormatVersion,
    AuthorizerResultTtlInSeconds: input.AuthorizerResultTtlInSeconds ?? known.AuthorizerResultTtlInSeconds,
    AuthorizerType: input.AuthorizerType ?? known.AuthorizerType,
    AuthorizerUri: input.AuthorizerUri ?? known.AuthorizerUri,
    EnableSimpleResponses: input.EnableSimpleResponses ?? known.EnableSimpleResponses,
    IdentitySource: input.IdentitySource ?? known.IdentitySource,
    IdentityValidationExpression: input.IdentityValidationExpression,
    JwtConfiguration:
      input.JwtConfiguration === undefined
        ? known.JwtConfiguration
        : { ...known.JwtConfiguration, ...input.JwtConfiguration },
    Name: input.Name ?? known.Name,
  });
}

function roleOf(record: AuthorizerRecord | undefined): string | undefined {
  return record?.type === "REQUEST" ? record.credentialsArn : undefined;
}

/** Whoever gives API Gateway a role must be allowed to pass it. */
async function mayPass(call: Call, before: AuthorizerRecord | undefined, after: AuthorizerRecord): Promise<void> {
  const role = roleOf(after);
  if (role === undefined || role === roleOf(before)) return;
  await call.authorize({
    action: "iam:PassRole",
    resource: role,
    resourceAccount: parseArn(role)?.account ?? "",
    context: { "iam:PassedToService": ["apigateway.amazonaws.com"] },
  });
}
