import { lookup } from "node:dns/promises";
import type { StackResourceSummary } from "@aws-sdk/client-cloudformation";
import type { Output } from "./command.ts";
import type { Connection } from "./connection.ts";

/** Prints the addresses of the APIs in a stack, a line for each route or WebSocket API, and of its function URLs. */
export async function printAddresses(connection: Connection, stackName: string, output: Output): Promise<void> {
  const { CloudFormationClient, paginateListStackResources } = await import("@aws-sdk/client-cloudformation");
  const client = new CloudFormationClient(connection);
  const resources: StackResourceSummary[] = [];
  for await (const page of paginateListStackResources({ client }, { StackName: stackName })) {
    resources.push(...(page.StackResourceSummaries ?? []));
  }
  const physicalIds = (type: string) =>
    resources.flatMap((resource) =>
      resource.ResourceType === type && resource.PhysicalResourceId ? [resource.PhysicalResourceId] : [],
    );
  const routes = [
    ...(await httpRoutes(connection, physicalIds("AWS::ApiGatewayV2::Api"))),
    ...(await restRoutes(connection, physicalIds("AWS::ApiGateway::RestApi"))),
  ];
  const urls = await functionUrls(connection, physicalIds("AWS::Lambda::Url"));
  if (routes.length === 0 && urls.length === 0) return;
  const names = await resolvesLocalhostNames();
  const { host } = new URL(connection.endpoint);
  for (const { apiId, method, path } of routes) {
    const address = names
      ? `http://${apiId}.execute-api.${connection.region}.localhost:${host.split(":")[1]}${path}`
      : `${connection.endpoint}/_cumulet/api/${apiId}${path}`;
    output.out(`${method.padEnd(7)} ${method === webSocket ? address.replace(/^http/, "ws") : address}`);
  }
  for (const url of urls) {
    const id = new URL(url).hostname.split(".")[0];
    output.out(`${"URL".padEnd(7)} ${names ? url : `${connection.endpoint}/_cumulet/url/${id}/`}`);
  }
}

const webSocket = "SOCKET";

interface Route {
  readonly apiId: string;
  /** Of HTTP; or `SOCKET`. */
  readonly method: string;
  /** With the stage, where the address has one. */
  readonly path: string;
}

async function httpRoutes(connection: Connection, apiIds: readonly string[]): Promise<Route[]> {
  if (apiIds.length === 0) return [];
  const sdk = await import("@aws-sdk/client-apigatewayv2");
  const client = new sdk.ApiGatewayV2Client(connection);
  const routes: Route[] = [];
  for (const apiId of apiIds) {
    const stages = await client.send(new sdk.GetStagesCommand({ ApiId: apiId }));
    const { ProtocolType } = await client.send(new sdk.GetApiCommand({ ApiId: apiId }));
    if (ProtocolType === "WEBSOCKET") {
      // Its routes are chosen by messages: there is one address.
      for (const { StageName } of stages.Items ?? []) routes.push({ apiId, method: webSocket, path: `/${StageName}` });
      continue;
    }
    const found = await client.send(new sdk.GetRoutesCommand({ ApiId: apiId }));
    for (const { StageName } of stages.Items ?? []) {
      const base = StageName === "$default" ? "" : `/${StageName}`;
      for (const { RouteKey } of found.Items ?? []) {
        const [method = "", path = "/"] = RouteKey === "$default" ? ["ANY"] : (RouteKey ?? "").split(" ");
        routes.push({ apiId, method, path: `${base}${path}` });
      }
    }
  }
  return routes;
}

async function restRoutes(connection: Connection, apiIds: readonly string[]): Promise<Route[]> {
  if (apiIds.length === 0) return [];
  const sdk = await import("@aws-sdk/client-api-gateway");
  const client = new sdk.APIGatewayClient(connection);
  const routes: Route[] = [];
  for (const apiId of apiIds) {
    const stages = await client.send(new sdk.GetStagesCommand({ restApiId: apiId }));
    const found = await client.send(new sdk.GetResourcesCommand({ restApiId: apiId, limit: 500 }));
    for (const { stageName } of stages.item ?? []) {
      for (const { path = "", resourceMethods = {} } of found.items ?? []) {
        for (const method of Object.keys(resourceMethods)) {
          if (method !== "OPTIONS") routes.push({ apiId, method, path: `/${stageName}${path}` });
        }
      }
    }
  }
  return routes;
}

async function functionUrls(connection: Connection, functionArns: readonly string[]): Promise<string[]> {
  if (functionArns.length === 0) return [];
  const sdk = await import("@aws-sdk/client-lambda");
  const client = new sdk.LambdaClient(connection);
  const configs = functionArns.map((FunctionName) =>
    client.send(new sdk.GetFunctionUrlConfigCommand({ FunctionName })),
  );
  return (await Promise.all(configs)).flatMap(({ FunctionUrl }) => (FunctionUrl === undefined ? [] : [FunctionUrl]));
}

/** Whether programs here can resolve names below localhost: some systems do it only inside the browser and curl. */
async function resolvesLocalhostNames(): Promise<boolean> {
  return lookup("api.localhost").then(
    () => true,
    () => false,
  );
}
