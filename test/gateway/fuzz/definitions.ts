/** What the definitions name that is there only when the test runs. */
export interface Names {
  /** `http://127.0.0.1:PORT` */
  readonly upstream: string;
  readonly issuer: string;
  /** A role that API Gateway may assume. */
  readonly role: string;
}

const extension = "x-amazon-apigateway-integration";
const any = "x-amazon-apigateway-any-method";
const functionUri = (name: string) =>
  `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:${name}/invocations`;
const proxyTo = (name: string) => ({ type: "aws_proxy", httpMethod: "POST", uri: functionUri(name) });
const responses = {
  "200": { description: "", headers: { "X-Own": { type: "string" } } },
  "400": { description: "" },
};
const pathParameter = (name: string) => ({ name, in: "path", required: true, type: "string" });

const mock = (template: string, answer: string) => ({
  type: "mock",
  passthroughBehavior: "when_no_templates",
  requestTemplates: { "application/json": template },
  responses: {
    default: { statusCode: "200", responseTemplates: { "application/json": answer, "text/plain": "plain" } },
  },
});
const operation = (integration: object, more: object = {}) => ({ responses, [extension]: integration, ...more });
const lambda = (payloadFormatVersion: string) => ({ ...proxyTo("echo"), payloadFormatVersion });
const route = (integration: object, more: object = {}) => ({
  [any]: { responses: { default: { description: "" } }, [extension]: integration, ...more },
});

/** A template that reads whatever there is to read of a request. */
const nosy = `#set($inputRoot = $input.path('$'))
{"body": $input.json('$'), "a": "$util.escapeJavaScript($input.path('$.a'))", "all": "$util.base64Encode($input.body)",
"params": {#foreach($type in $input.params().keySet())"$type": {#foreach($p in $input.params().get($type).keySet())"$util.escapeJavaScript($p)": "$util.escapeJavaScript($input.params().get($type).get($p))"#if($foreach.hasNext),#end#end}#if($foreach.hasNext),#end#end},
"ip": "$context.identity.sourceIp", "agent": "$util.escapeJavaScript($context.identity.userAgent)", "v": "$stageVariables.v"}`;

/**
 * An API of REST that has each type of integration, authorizer and step.
 *
 * @param templates of the methods `/template/0` …
 */
export function restDefinition({ upstream, role }: Names, templates: readonly string[]): object {
  const random = Object.fromEntries(
    templates.map((template, index) => [
      `/template/${index}`,
      { [any]: operation(mock(`${template}{"statusCode": 200}`, template)) },
    ]),
  );
  return {
    swagger: "2.0",
    info: { title: "fuzzed", version: "1" },
    "x-amazon-apigateway-binary-media-types": ["image/*", "application/octet-stream"],
    "x-amazon-apigateway-request-validators": {
      all: { validateRequestBody: true, validateRequestParameters: true },
    },
    "x-amazon-apigateway-gateway-responses": {
      DEFAULT_4XX: {
        responseParameters: { "gatewayresponse.header.X-Path": "method.request.path.id" },
        responseTemplates: {
          "application/json": `{"message":$context.error.messageString,"type":"$context.error.responseType","v":"$context.error.validationErrorString","ip":"$context.identity.sourceIp"}`,
        },
      },
    },
    securityDefinitions: {
      token: authorizer("token", { identitySource: "method.request.header.Authorization" }),
      request: authorizer("request", {
        identitySource: "method.request.header.Who, method.request.querystring.who",
        authorizerResultTtlInSeconds: 30,
      }),
      key: { type: "apiKey", name: "x-api-key", in: "header" },
      sigv4: { type: "apiKey", name: "Authorization", in: "header", "x-amazon-apigateway-authtype": "awsSigv4" },
    },
    definitions: {
      Thing: {
        type: "object",
        required: ["a"],
        properties: {
          a: { type: "string", pattern: "^[a-z]+$", maxLength: 10 },
          list: { type: "array", uniqueItems: true, items: { oneOf: [{ type: "integer" }, { type: "null" }] } },
          deeper: { $ref: "#/definitions/Thing" },
        },
      },
    },
    paths: {
      ...random,
      "/proxy/{proxy+}": { [any]: operation(proxyTo("echo"), { parameters: [pathParameter("proxy")] }) },
      "/nonsense": { post: operation(proxyTo("echo")) },
      "/streamed": { [any]: operation({ ...proxyTo("streaming"), ...streams }) },
      "/mock/{id}": { [any]: operation(mock(`{"statusCode": 200}`, nosy), { parameters: [pathParameter("id")] }) },
      "/endpoint/{proxy+}": {
        [any]: operation(
          {
            type: "http_proxy",
            httpMethod: "ANY",
            uri: `${upstream}/{proxy}`,
            timeoutInMillis: 2_000,
            requestParameters: {
              "integration.request.path.proxy": "method.request.path.proxy",
              "integration.request.header.X-Agent": "method.request.header.User-Agent",
              "integration.request.querystring.ip": "context.identity.sourceIp",
            },
          },
          { parameters: [pathParameter("proxy"), { name: "User-Agent", in: "header", type: "string" }] },
        ),
      },
      "/mapped/{id}": {
        [any]: operation(
          {
            type: "http",
            httpMethod: "POST",
            uri: `${upstream}/mapped/{id}`,
            timeoutInMillis: 2_000,
            requestParameters: {
              "integration.request.path.id": "method.request.path.id",
              "integration.request.header.X-B": "method.request.header.X-B",
              "integration.request.querystring.q": "method.request.querystring.q",
            },
            requestTemplates: { "application/json": nosy },
            responses: {
              default: {
                statusCode: "200",
                responseParameters: { "method.response.header.X-Own": "integration.response.header.X-Own" },
                responseTemplates: { "application/json": `{"got": $input.json('$')}` },
              },
              "4\\d{2}": { statusCode: "400" },
            },
          },
          {
            parameters: [
              pathParameter("id"),
              { name: "X-B", in: "header", type: "string" },
              { name: "q", in: "query", type: "string" },
            ],
          },
        ),
      },
      "/function": {
        [any]: operation({
          type: "aws",
          httpMethod: "POST",
          uri: functionUri("echo"),
          credentials: role,
          requestTemplates: { "application/json": `{"path": "/x", "said": "$util.escapeJavaScript($input.body)"}` },
          responses: {
            default: { statusCode: "200", responseTemplates: { "application/json": "$input.path('$.body')" } },
          },
        }),
      },
      "/objects/{key+}": {
        put: operation(objects(role, "PUT"), { parameters: [pathParameter("key")] }),
        get: operation(objects(role, "GET"), { parameters: [pathParameter("key")] }),
      },
      "/validated/{id}": {
        post: operation(mock(`{"statusCode": 200}`, "{}"), {
          parameters: [
            pathParameter("id"),
            { name: "q", in: "query", required: true, type: "string" },
            { name: "X-B", in: "header", required: true, type: "string" },
            { name: "body", in: "body", schema: { $ref: "#/definitions/Thing" } },
          ],
          "x-amazon-apigateway-request-validator": "all",
        }),
      },
      "/token": { [any]: operation(proxyTo("echo"), { security: [{ token: [] }] }) },
      "/request": { [any]: operation(proxyTo("echo"), { security: [{ request: [] }] }) },
      "/keyed": { [any]: operation(mock(`{"statusCode": 200}`, "{}"), { security: [{ key: [] }] }) },
      "/signed": { [any]: operation(mock(`{"statusCode": 200}`, "{}"), { security: [{ sigv4: [] }] }) },
      "/cached/{id}": {
        get: operation(
          {
            ...mock(`{"statusCode": 200}`, nosy),
            cacheKeyParameters: ["method.request.querystring.q", "method.request.header.X-B", "method.request.path.id"],
            requestParameters: {
              "integration.request.querystring.q": "method.request.querystring.q",
              "integration.request.header.X-B": "method.request.header.X-B",
              "integration.request.path.id": "method.request.path.id",
            },
          },
          {
            parameters: [
              pathParameter("id"),
              { name: "q", in: "query", type: "string" },
              { name: "X-B", in: "header", type: "string" },
            ],
          },
        ),
      },
    },
  };
}

const streams = {
  uri: "arn:aws:apigateway:us-east-1:lambda:path/2021-11-15/functions/arn:aws:lambda:us-east-1:000000000000:function:streaming/response-streaming-invocations",
  responseTransferMode: "STREAM",
};

function objects(role: string, httpMethod: string): object {
  return {
    type: "aws",
    httpMethod,
    uri: "arn:aws:apigateway:us-east-1:s3:path/fuzzed/{key}",
    credentials: role,
    requestParameters: { "integration.request.path.key": "method.request.path.key" },
    contentHandling: "CONVERT_TO_BINARY",
    responses: {
      default: { statusCode: "200", contentHandling: "CONVERT_TO_TEXT" },
      "[45]\\d{2}": { statusCode: "400" },
    },
  };
}

function authorizer(type: string, more: object): object {
  return {
    type: "apiKey",
    name: "Authorization",
    in: "header",
    "x-amazon-apigateway-authtype": "custom",
    "x-amazon-apigateway-authorizer": { type, authorizerUri: functionUri("authorize"), ...more },
  };
}

/** An HTTP API with both payload formats, each kind of authorizer, parameter mapping and CORS. */
export function httpDefinition({ upstream, issuer }: Names): object {
  return {
    openapi: "3.0.1",
    info: { title: "fuzzed", version: "1" },
    "x-amazon-apigateway-cors": {
      allowOrigins: ["https://a.example"],
      allowMethods: ["*"],
      allowHeaders: ["x-b"],
      maxAge: 5,
    },
    components: {
      securitySchemes: {
        jwt: {
          type: "oauth2",
          flows: {},
          "x-amazon-apigateway-authorizer": {
            type: "jwt",
            identitySource: "$request.header.Authorization",
            jwtConfiguration: { issuer, audience: ["app"] },
          },
        },
        who: {
          type: "apiKey",
          name: "Who",
          in: "header",
          "x-amazon-apigateway-authorizer": {
            type: "request",
            authorizerUri: functionUri("authorize"),
            authorizerPayloadFormatVersion: "2.0",
            enableSimpleResponses: true,
            identitySource: "$request.header.Who",
            authorizerResultTtlInSeconds: 30,
          },
        },
      },
    },
    paths: {
      "/$default": route(lambda("2.0")),
      "/v1/{proxy+}": route(lambda("1.0")),
      "/nonsense": route(lambda("2.0")),
      "/endpoint/{proxy+}": route({
        type: "http_proxy",
        httpMethod: "ANY",
        uri: `${upstream}/{proxy}`,
        payloadFormatVersion: "1.0",
        timeoutInMillis: 2_000,
        requestParameters: {
          "append:header.x-id": "${context.requestId}-${request.header.x-b}",
          "overwrite:querystring.q": "$request.body.a",
          "overwrite:path": "/over/${request.path.proxy}",
        },
        responseParameters: { "200": { "overwrite:header.x-own": "$response.header.x-own", "append:header.x-b": "b" } },
      }),
      "/jwt": route(lambda("2.0"), { security: [{ jwt: ["read"] }] }),
      "/who": route(lambda("2.0"), { security: [{ who: [] }] }),
    },
  };
}
