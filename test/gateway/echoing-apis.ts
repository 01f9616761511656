import { APIGatewayClient, CreateDeploymentCommand, ImportRestApiCommand } from "@aws-sdk/client-api-gateway";
import { ApiGatewayV2Client, CreateStageCommand, ImportApiCommand } from "@aws-sdk/client-apigatewayv2";
import { AddPermissionCommand, CreateFunctionUrlConfigCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { connect } from "node:net";
import { createFunctionRole, createNodeFunction } from "../../src/testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../src/testing/platform.ts";

/** What a function is told, by each way to call one over HTTP. */
type Kind = "rest" | "http1" | "http2" | "url";

export interface RawRequest {
  readonly verb?: string;
  /** Below the stage, as sent; its characters are bytes. */
  readonly target: string;
  /** `Name: value`; a length is added for a body that has none. */
  readonly headers?: readonly string[];
  readonly body?: string;
}

interface Echoed {
  readonly status: number;
  readonly text: string;
  /** What the function was told; undefined where it was not called. */
  readonly event: Readonly<Record<string, unknown>> | undefined;
}

/** A function that answers with its event, behind a REST API, an HTTP API of each payload format, and a URL. */
export interface EchoingApis {
  readonly platform: TestPlatform;
  readonly restApiId: string;
  readonly stageName: string;
  ask(kind: Kind, request: RawRequest): Promise<Echoed>;
  stop(): Promise<void>;
}

const source = `export const handler = async (event) => ({
  statusCode: 200, headers: { "content-type": "application/json" }, body: JSON.stringify({ event }),
});`;
const functionArn = "arn:aws:lambda:us-east-1:000000000000:function:echo";
const stageName = "prod";

const integration = {
  type: "aws_proxy",
  httpMethod: "POST",
  uri: `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${functionArn}/invocations`,
};
const any = (more: object = {}) => ({
  "x-amazon-apigateway-any-method": {
    responses: {},
    "x-amazon-apigateway-integration": { ...integration, ...more },
  },
});
const gateway = (apiId: string) => `${apiId}.execute-api.us-east-1.localhost`;

export async function startEchoingApis(): Promise<EchoingApis> {
  const platform = await startTestPlatform({ sandbox: "process" });
  const { settings } = platform;
  const lambda = new LambdaClient(settings);
  const FunctionName = "echo";
  await createNodeFunction(settings, { FunctionName, Role: await createFunctionRole(settings, "echo"), source });
  const permission = { FunctionName, Action: "lambda:InvokeFunction" };
  const Principal = "apigateway.amazonaws.com";
  await lambda.send(new AddPermissionCommand({ ...permission, StatementId: "gateway", Principal }));
  const everybody = { FunctionName, Principal: "*" };
  await lambda.send(
    new AddPermissionCommand({
      ...everybody,
      StatementId: "url",
      Action: "lambda:InvokeFunctionUrl",
      FunctionUrlAuthType: "NONE",
    }),
  );
  await lambda.send(
    new AddPermissionCommand({
      ...everybody,
      StatementId: "invoke",
      Action: "lambda:InvokeFunction",
      InvokedViaFunctionUrl: true,
    }),
  );
  const url = await lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName, AuthType: "NONE" }));

  const v1 = new APIGatewayClient(settings);
  const definition = {
    swagger: "2.0",
    info: { title: "echo", version: "1" },
    "x-amazon-apigateway-binary-media-types": ["image/*"],
    paths: { "/": any(), "/{proxy+}": any() },
  };
  const { id: restApiId = "" } = await v1.send(
    new ImportRestApiCommand({ body: Buffer.from(JSON.stringify(definition)) }),
  );
  await v1.send(new CreateDeploymentCommand({ restApiId, stageName, variables: { color: "blue" } }));
  const v2 = new ApiGatewayV2Client(settings);
  const makeHttpApi = async (payloadFormatVersion: string) => {
    const paths = { "/$default": any({ payloadFormatVersion }), "/{proxy+}": any({ payloadFormatVersion }) };
    const Body = JSON.stringify({ openapi: "3.0.1", info: { title: "echo", version: "1" }, paths });
    const { ApiId } = await v2.send(new ImportApiCommand({ Body }));
    await v2.send(
      new CreateStageCommand({ ApiId, StageName: stageName, AutoDeploy: true, StageVariables: { color: "blue" } }),
    );
    return ApiId ?? "";
  };
  const [http1, http2] = await Promise.all([makeHttpApi("1.0"), makeHttpApi("2.0")]);
  const hosts: Readonly<Record<Kind, string>> = {
    rest: gateway(restApiId),
    http1: gateway(http1),
    http2: gateway(http2),
    url: new URL(url.FunctionUrl ?? "").hostname,
  };

  return {
    platform,
    restApiId,
    stageName,
    ask: async (kind, { verb = "GET", target, headers = [], body = "" }) => {
      const framed = headers.some((header) => /^(content-length|transfer-encoding):/i.test(header)) || body === "";
      const lines = [
        `${verb} ${kind === "url" ? "" : `/${stageName}`}${target} HTTP/1.1`,
        `Host: ${hosts[kind]}`,
        "Connection: close",
        ...headers,
        ...(framed ? [] : [`Content-Length: ${body.length}`]),
      ];
      const answer = await exchange(platform.port, `${lines.join("\r\n")}\r\n\r\n${body}`);
      const text = answer.slice(answer.indexOf("\r\n\r\n") + 4);
      const status = Number(answer.slice(9, 12));
      return { status, text, event: status === 200 ? JSON.parse(text).event : undefined };
    },
    stop: () => platform.stop(),
  };
}

/** Bytes for bytes: what clients would make of targets and headers is of no interest. */
function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, "127.0.0.1", () => socket.write(Buffer.from(bytes, "latin1")));
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", reject);
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("utf8")));
  });
}
