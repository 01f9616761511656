const literal = (value: string) => `'${value}'`;
const corsHeaders = ["Access-Control-Allow-Headers", "Access-Control-Allow-Methods", "Access-Control-Allow-Origin"];

const mock = (responses: object, statusCode = 200) => ({
  type: "mock",
  passthroughBehavior: "when_no_match",
  requestTemplates: { "application/json": `{"statusCode": ${statusCode}}` },
  responses,
});

/** For tests: a shop for pets with the features that AWS's own sample has, and validation and documentation besides. */
export function petStore() {
  const options = {
    consumes: ["application/json"],
    produces: ["application/json"],
    responses: {
      "200": {
        description: "200 response",
        schema: { $ref: "#/definitions/Empty" },
        headers: Object.fromEntries(corsHeaders.map((name) => [name, { type: "string" }])),
      },
    },
    "x-amazon-apigateway-integration": mock({
      default: {
        statusCode: "200",
        responseParameters: {
          "method.response.header.Access-Control-Allow-Headers": literal("Content-Type,X-Amz-Date"),
          "method.response.header.Access-Control-Allow-Methods": literal("POST,GET,OPTIONS"),
          "method.response.header.Access-Control-Allow-Origin": literal("*"),
        },
      },
    }),
  };
  const answer = (schema: string, body: string) => ({
    produces: ["application/json"],
    responses: {
      "200": {
        description: "200 response",
        schema: { $ref: `#/definitions/${schema}` },
        headers: { "Access-Control-Allow-Origin": { type: "string" } },
      },
    },
    "x-amazon-apigateway-integration": mock({
      default: {
        statusCode: "200",
        responseParameters: { "method.response.header.Access-Control-Allow-Origin": literal("*") },
        responseTemplates: { "application/json": body },
      },
    }),
  });
  return {
    swagger: "2.0",
    info: { description: "A shop for pets", version: "2026-11-22", title: "PetStore" },
    basePath: "/shop/v1",
    schemes: ["https"],
    "x-amazon-apigateway-request-validators": {
      all: { validateRequestBody: true, validateRequestParameters: true },
      parameters: { validateRequestBody: false, validateRequestParameters: true },
    },
    "x-amazon-apigateway-request-validator": "all",
    "x-amazon-apigateway-binary-media-types": ["image/png"],
    "x-amazon-apigateway-gateway-responses": {
      BAD_REQUEST_BODY: {
        statusCode: 422,
        responseParameters: { "gatewayresponse.header.X-Reason": literal("body") },
        responseTemplates: { "application/json": '{"reason":$context.error.messageString}' },
      },
    },
    "x-amazon-apigateway-documentation": {
      version: "1",
      documentationParts: [
        { location: { type: "API" }, properties: { info: { description: "For those who love pets" } } },
        { location: { type: "METHOD", path: "/pets", method: "GET" }, properties: { summary: "All pets" } },
        { location: { type: "MODEL", name: "Pet" }, properties: { title: "A pet" } },
      ],
    },
    paths: {
      "/": {
        get: {
          produces: ["text/html"],
          responses: { "200": { description: "200 response", headers: { "Content-Type": { type: "string" } } } },
          "x-amazon-apigateway-integration": mock({
            default: {
              statusCode: "200",
              responseParameters: { "method.response.header.Content-Type": literal("text/html") },
              responseTemplates: { "text/html": "<html><h1>Welcome to the shop</h1></html>" },
            },
          }),
        },
      },
      "/pets": {
        get: {
          ...answer("Pets", '[{"id":1,"type":"dog","price":249.99}]'),
          operationId: "GetPets",
          parameters: [
            { name: "type", in: "query", required: false, type: "string" },
            { name: "page", in: "query", required: true, type: "string" },
          ],
          "x-amazon-apigateway-request-validator": "parameters",
        },
        post: {
          ...answer("NewPetResponse", '{"message":"success"}'),
          operationId: "CreatePet",
          consumes: ["application/json"],
          parameters: [{ in: "body", name: "NewPet", required: true, schema: { $ref: "#/definitions/NewPet" } }],
        },
        options,
      },
      "/pets/{petId}": {
        get: {
          ...answer("Pet", '{"id":1,"type":"dog","price":249.99}'),
          operationId: "GetPet",
          parameters: [{ name: "petId", in: "path", required: true, type: "string" }],
          security: [{ sigv4: [] }],
        },
        options: { ...options, parameters: [{ name: "petId", in: "path", required: true, type: "string" }] },
      },
    },
    securityDefinitions: {
      sigv4: {
        type: "apiKey",
        name: "Authorization",
        in: "header",
        "x-amazon-apigateway-authtype": "awsSigv4",
      },
    },
    definitions: {
      Empty: { type: "object" },
      Pet: {
        type: "object",
        properties: {
          id: { type: "integer" },
          type: { type: "string" },
          price: { type: "number" },
        },
      },
      Pets: { type: "array", items: { $ref: "#/definitions/Pet" } },
      PetType: { type: "string", enum: ["dog", "cat", "fish", "bird", "gecko"] },
      NewPet: {
        type: "object",
        required: ["type", "price"],
        properties: { type: { $ref: "#/definitions/PetType" }, price: { type: "number", minimum: 0.01 } },
      },
      NewPetResponse: {
        type: "object",
        properties: { pet: { $ref: "#/definitions/Pet" }, message: { type: "string" } },
      },
    },
  };
}
