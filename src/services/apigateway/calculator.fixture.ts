const parameter = (place: string) => (name: string) => ({ name, in: place, required: true, type: "string" });
const operands = ["operand2", "operator", "operand1"];
const template = (...lines: readonly string[]) => ({ "application/json": lines.join("\n") });
const asJson = { consumes: ["application/json"], produces: ["application/json"] };
const result = { description: "200 response", schema: { $ref: "#/definitions/Result" } };
const numbers = { a: { type: "number" }, b: { type: "number" } };

/**
 * The calculator of the developer guide, "OpenAPI definitions of sample API integrated with a Lambda function": one function, called
 * with what stands in the query, in the body or in the path.
 *
 * @param uri of the integrations
 * @param credentials the role they call with
 */
export function calculator(uri: string, credentials: string): object {
  const integration = (response: object, more: object) => ({
    credentials,
    responses: { default: { statusCode: "200", ...response } },
    uri,
    httpMethod: "POST",
    type: "aws",
    ...more,
  });
  return {
    swagger: "2.0",
    info: { version: "2017-04-20T04:08:08Z", title: "LambdaGate" },
    host: "uojnr9hd57.execute-api.us-east-1.amazonaws.com",
    basePath: "/test",
    schemes: ["https"],
    paths: {
      "/calc": {
        get: {
          ...asJson,
          parameters: operands.map(parameter("query")),
          responses: {
            "200": {
              ...result,
              headers: Object.fromEntries(
                ["operand_1", "operand_2", "operator"].map((name) => [name, { type: "string" }]),
              ),
            },
          },
          "x-amazon-apigateway-request-validator": "Validate query string parameters and headers",
          "x-amazon-apigateway-integration": integration(
            {
              responseParameters: {
                "method.response.header.operator": "integration.response.body.op",
                "method.response.header.operand_2": "integration.response.body.b",
                "method.response.header.operand_1": "integration.response.body.a",
              },
              responseTemplates: template(
                "#set($res = $input.path('$'))",
                '{ "result": "$res.a, $res.b, $res.op => $res.c", "a" : "$res.a", "b" : "$res.b", "op" : "$res.op", "c" : "$res.c" }',
              ),
            },
            {
              passthroughBehavior: "when_no_match",
              requestTemplates: template(
                `{ "a": "$input.params('operand1')", "b": "$input.params('operand2')", "op": "$input.params('operator')" }`,
              ),
            },
          ),
        },
        post: {
          ...asJson,
          parameters: [
            { name: "InvocationType", in: "header", required: false, type: "string" },
            { in: "body", name: "Input", required: true, schema: { $ref: "#/definitions/Input" } },
          ],
          responses: { "200": result },
          "x-amazon-apigateway-request-validator": "Validate body",
          "x-amazon-apigateway-integration": integration(
            {
              responseTemplates: template(
                "#set($inputRoot = $input.path('$'))",
                '{ "a" : $inputRoot.a, "b" : $inputRoot.b, "op" : $inputRoot.op, "c" : $inputRoot.c }',
              ),
            },
            { passthroughBehavior: "when_no_templates" },
          ),
        },
      },
      "/calc/{operand1}/{operand2}/{operator}": {
        get: {
          ...asJson,
          parameters: operands.map(parameter("path")),
          responses: { "200": result },
          "x-amazon-apigateway-integration": integration(
            {
              responseTemplates: template(
                "#set($inputRoot = $input.path('$'))",
                '{ "input" : { "a" : $inputRoot.a, "b" : $inputRoot.b, "op" : "$inputRoot.op" }, "output" : { "c" : $inputRoot.c } }',
              ),
            },
            {
              passthroughBehavior: "when_no_templates",
              requestTemplates: template(
                `{ "a": "$input.params('operand1')", "b": "$input.params('operand2')",`,
                `"op": #if($input.params('operator')=='%2F')"/"#{else}"$input.params('operator')"#end`,
                "}",
              ),
              contentHandling: "CONVERT_TO_TEXT",
            },
          ),
        },
      },
    },
    definitions: {
      Input: {
        type: "object",
        required: ["a", "b", "op"],
        properties: { ...numbers, op: { type: "string", description: "binary op" } },
        title: "Input",
      },
      Output: { type: "object", properties: { c: { type: "number" } }, title: "Output" },
      Result: {
        type: "object",
        properties: { input: { $ref: "#/definitions/Input" }, output: { $ref: "#/definitions/Output" } },
        title: "Result",
      },
    },
    "x-amazon-apigateway-request-validators": {
      "Validate body": { validateRequestParameters: false, validateRequestBody: true },
      "Validate query string parameters and headers": { validateRequestParameters: true, validateRequestBody: false },
    },
  };
}
