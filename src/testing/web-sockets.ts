import * as sdk from "@aws-sdk/client-apigatewayv2";
import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { type ClientSettings, createFunctionRole, createNodeFunction } from "./functions.ts";

/**
 * A WebSocket API with the stage `prod`, whose function `chat` runs for `$default` and `$disconnect` and answers messages; its id.
 *
 * @param source of the function
 */
export async function createChatApi(settings: ClientSettings, source: string): Promise<string> {
  const FunctionName = "chat";
  const Role = await createFunctionRole(settings, "chat", [{ Effect: "Allow", Action: "logs:*", Resource: "*" }]);
  await createNodeFunction(settings, { FunctionName, Role, source });
  await new LambdaClient(settings).send(
    new AddPermissionCommand({
      FunctionName,
      StatementId: "gateway",
      Action: "lambda:InvokeFunction",
      Principal: "apigateway.amazonaws.com",
    }),
  );
  const client = new sdk.ApiGatewayV2Client(settings);
  const { ApiId = "" } = await client.send(
    new sdk.CreateApiCommand({
      Name: "chat",
      ProtocolType: "WEBSOCKET",
      RouteSelectionExpression: "$request.body.action",
    }),
  );
  const IntegrationUri = "arn:aws:lambda:us-east-1:000000000000:function:chat";
  const { IntegrationId } = await client.send(
    new sdk.CreateIntegrationCommand({ ApiId, IntegrationType: "AWS_PROXY", IntegrationUri }),
  );
  const Target = `integrations/${IntegrationId}`;
  await client.send(new sdk.CreateRouteCommand({ ApiId, RouteKey: "$disconnect", Target }));
  const { RouteId } = await client.send(
    new sdk.CreateRouteCommand({ ApiId, RouteKey: "$default", Target, RouteResponseSelectionExpression: "$default" }),
  );
  await client.send(new sdk.CreateRouteResponseCommand({ ApiId, RouteId, RouteResponseKey: "$default" }));
  await client.send(new sdk.CreateStageCommand({ ApiId, StageName: "prod", AutoDeploy: true }));
  return ApiId;
}
