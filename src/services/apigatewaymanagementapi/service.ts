import type * as sdk from "@aws-sdk/client-apigatewaymanagementapi";
import type { AuthorizationRequest } from "../../access/authorization.ts";
import type { Call, OperationsOf, Service } from "../../wire/service.ts";
import type { Answer, Ask, ConnectionsPort } from "../execute-api/port.ts";
import { forbidden, gone, limitExceeded, payloadTooLarge } from "./errors.ts";
import { managementLimits as limits } from "./limits.ts";

export interface ApiGatewayManagementApi {
  readonly service: Service;
}

/** `@connections`: backends write to the clients of WebSocket APIs, look at connections, and close them. */
export function createApiGatewayManagementApi(connections: ConnectionsPort): ApiGatewayManagementApi {
  const ask = async (call: Call, connectionId: string | undefined, question: Ask): Promise<Answer> => {
    const answer = await connections.ask(stageOf(call), connectionId ?? "", question);
    if (answer.answer === "gone") throw gone();
    if (answer.answer === "full") throw limitExceeded();
    return answer;
  };
  return {
    service: {
      name: "apigatewaymanagementapi",
      operations: {
        PostToConnection: {
          authorize: (input, call) => mayManage("POST", call, input.ConnectionId),
          run: async (input, call) => {
            const data = input.Data ?? new Uint8Array();
            if (data.length > limits.dataBytesMax) throw payloadTooLarge();
            await ask(call, input.ConnectionId, { do: "post", data });
            return {};
          },
        },
        GetConnection: {
          authorize: (input, call) => mayManage("GET", call, input.ConnectionId),
          run: async (input, call) => {
            const answer = await ask(call, input.ConnectionId, { do: "describe" });
            if (answer.answer !== "described") return {};
            return {
              ConnectedAt: new Date(answer.connectedAt),
              Identity: { SourceIp: answer.sourceIp, UserAgent: answer.userAgent },
              LastActiveAt: new Date(answer.lastActiveAt),
            };
          },
        },
        DeleteConnection: {
          authorize: (input, call) => mayManage("DELETE", call, input.ConnectionId),
          run: async (input, call) => {
            await ask(call, input.ConnectionId, { do: "close" });
            return {};
          },
        },
      } satisfies OperationsOf<typeof sdk>,
    },
  };
}

/** Source: "Use IAM authorization" of WebSocket APIs: `execute-api:ManageConnections`. */
function mayManage(
  method: "POST" | "GET" | "DELETE",
  call: Call,
  connectionId: string | undefined,
): readonly AuthorizationRequest[] {
  const { account, region, apiId, stageName } = stageOf(call);
  const path = `${apiId}/${stageName}/${method}/@connections/${connectionId ?? ""}`;
  return [
    {
      action: "execute-api:ManageConnections",
      resource: `arn:aws:execute-api:${region}:${account}:${path}`,
      resourceAccount: account,
    },
  ];
}

/** Only the address of a stage says whose connections are meant. */
function stageOf(call: Call) {
  const stage = call.http?.connections;
  if (stage === undefined) throw forbidden();
  return stage;
}
