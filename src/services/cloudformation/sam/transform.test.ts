import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SamTransformError, transformSam } from "./transform.ts";

const options = { parameters: {}, region: "eu-west-1", managedPolicies: {}, now: 0 };

const handler = { CodeUri: "s3://bucket/code.zip", Handler: "index.handler", Runtime: "nodejs22.x" };

function template(resources: Record<string, unknown>, rest: Record<string, unknown> = {}): Record<string, unknown> {
  return { Transform: "AWS::Serverless-2016-10-31", ...rest, Resources: resources };
}

function fn(properties: Record<string, unknown> = {}, rest: Record<string, unknown> = {}): Record<string, unknown> {
  return { Type: "AWS::Serverless::Function", ...rest, Properties: { ...handler, ...properties } };
}

function resourcesOf(
  input: Record<string, unknown>,
  parameters: Record<string, unknown> = {},
): Record<string, unknown> {
  const { template: made } = transformSam(input, { ...options, parameters });
  return Object(made["Resources"]) as Record<string, unknown>;
}

function messageOf(input: Record<string, unknown>): string {
  try {
    transformSam(input, options);
  } catch (error) {
    if (error instanceof SamTransformError) return error.message;
    throw error;
  }
  return "no error";
}

const prefix = "Invalid Serverless Application Specification document. Number of errors found: 1. ";

const deploymentOf = (path: string) =>
  Object.keys(
    resourcesOf(
      template({ Hello: fn({ Events: { Get: { Type: "Api", Properties: { Path: path, Method: "get" } } } }) }),
    ),
  ).find((id) => id.startsWith("ServerlessRestApiDeployment"));

const publishing = (key: string) =>
  template(
    { Hello: fn({ CodeUri: `s3://bucket/${key}`, AutoPublishAlias: "live" }) },
    { Outputs: { Alias: { Value: { Ref: "Hello.Alias" } } } },
  );

describe("transformSam", () => {
  it("leaves the template it was given as it is", () => {
    const input = template({
      Hello: fn({ Events: { Get: { Type: "Api", Properties: { Path: "/", Method: "get" } } } }),
    });
    const before = JSON.stringify(input);
    transformSam(input, options);
    expect(JSON.stringify(input)).toBe(before);
  });

  it("makes a function with a role, and takes Transform and Globals away", () => {
    const input = template({ Hello: fn() }, { Globals: { Function: { MemorySize: 256, Timeout: 3 } } });
    const { template: made } = transformSam(input, options);
    expect(Object.keys(made)).toEqual(["Resources"]);
    expect(made["Resources"]).toMatchObject({
      Hello: {
        Type: "AWS::Lambda::Function",
        Properties: {
          Code: { S3Bucket: "bucket", S3Key: "code.zip" },
          MemorySize: 256,
          Role: { "Fn::GetAtt": ["HelloRole", "Arn"] },
          Tags: [{ Key: "lambda:createdBy", Value: "SAM" }],
        },
      },
      HelloRole: {
        Type: "AWS::IAM::Role",
        Properties: { ManagedPolicyArns: ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"] },
      },
    });
  });

  it("makes ServerlessRestApi of Api events that name no API", () => {
    const event = { Type: "Api", Properties: { Path: "/users/{id}", Method: "GET" } };
    const resources = resourcesOf(template({ Hello: fn({ Events: { Get: event } }) }));
    expect(Object.keys(resources).map((id) => id.replace(/[0-9a-f]{10}$/, "#"))).toEqual([
      "Hello",
      "HelloRole",
      "HelloGetPermissionProd",
      "ServerlessRestApi",
      "ServerlessRestApiDeployment#",
      "ServerlessRestApiProdStage",
    ]);
    expect(resources["HelloGetPermissionProd"]).toMatchObject({
      Properties: {
        SourceArn: {
          "Fn::Sub": [
            "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/${__Stage__}/GET/users/*",
            { __ApiId__: { Ref: "ServerlessRestApi" }, __Stage__: "*" },
          ],
        },
      },
    });
  });

  it("gives a REST API a new deployment when its definition changes, and only then", () => {
    expect(deploymentOf("/a")).toBe(deploymentOf("/a"));
    expect(deploymentOf("/a")).not.toBe(deploymentOf("/b"));
  });

  it("makes the $default route of an HttpApi event without Path and Method", () => {
    const resources = resourcesOf(template({ Hello: fn({ Events: { Any: { Type: "HttpApi" } } }) }));
    expect(resources["ServerlessHttpApi"]).toMatchObject({
      Type: "AWS::ApiGatewayV2::Api",
      Properties: {
        Body: { paths: { $default: { "x-amazon-apigateway-any-method": { isDefaultRoute: true } } } },
      },
    });
    expect(Object.keys(resources)).toContain("ServerlessHttpApiApiGatewayDefaultStage");
  });

  it("publishes a version whose id follows the code, and refers to the alias as Function.Alias", () => {
    const versionOf = (key: string) =>
      Object.keys(resourcesOf(publishing(key))).find((id) => id.startsWith("HelloVersion"));
    expect(versionOf("one")).toMatch(/^HelloVersion[0-9a-f]{10}$/);
    expect(versionOf("one")).not.toBe(versionOf("two"));
    expect(transformSam(publishing("one"), options).template["Outputs"]).toEqual({
      Alias: { Value: { Ref: "HelloAliaslive" } },
    });
  });

  it("renames references to layer versions along with them", () => {
    const layer = { Type: "AWS::Serverless::LayerVersion", Properties: { ContentUri: "s3://bucket/layer.zip" } };
    const resources = resourcesOf(template({ Deps: layer, Hello: fn({ Layers: [{ Ref: "Deps" }] }) }));
    const id = Object.keys(resources).find((name) => name.startsWith("Deps"));
    expect(id).toMatch(/^Deps[0-9a-f]{10}$/);
    expect(resources["Hello"]).toMatchObject({ Properties: { Layers: [{ Ref: id }] } });
  });

  it("resolves parameters where the transform itself needs values", () => {
    const input = template({ Hello: fn({ AutoPublishAlias: { Ref: "Stage" } }) });
    expect(Object.keys(resourcesOf(input, { Stage: "blue" }))).toContain("HelloAliasblue");
    expect(messageOf(input)).toBe(
      `${prefix}Resource with id [Hello] is invalid. 'AutoPublishAlias' must be a string or a Ref to a template parameter`,
    );
  });

  it("expands policy templates and names of managed policies", () => {
    const policies = [{ SQSPollerPolicy: { QueueName: "q" } }, "AmazonDynamoDBReadOnlyAccess", "NoSuchPolicy"];
    expect(resourcesOf(template({ Hello: fn({ Policies: policies }) }))["HelloRole"]).toMatchObject({
      Properties: {
        ManagedPolicyArns: expect.arrayContaining([
          "arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess",
          "NoSuchPolicy",
        ]),
        Policies: [{ PolicyName: "HelloRolePolicy0", PolicyDocument: { Statement: [{ Effect: "Allow" }] } }],
      },
    });
  });

  it("takes OpenApiVersion: 3.0 for the version it is, though YAML reads it as a number", () => {
    const api = { Type: "AWS::Serverless::Api", Properties: { StageName: "Prod", OpenApiVersion: 3 } };
    expect(resourcesOf(template({ Api: api }))["Api"]).toMatchObject({ Properties: { Body: { openapi: "3.0" } } });
  });

  it("passes types through that are not SAM's", () => {
    const bucket = { Type: "AWS::S3::Bucket" };
    expect(resourcesOf(template({ Bucket: bucket }))).toEqual({ Bucket: bucket });
  });
});

describe("transformSam refuses", () => {
  const refusals: readonly (readonly [name: string, input: Record<string, unknown>, message: string])[] = [
    ["a template without Resources", {}, "Structure of the SAM template is invalid. 'Resources' section is required"],
    [
      "a resource that is no map",
      template({ Hello: "x" }),
      "Structure of the SAM template is invalid. All 'Resources' must be Objects. If you're using YAML, this may be an indentation issue.",
    ],
    [
      "a property that the type does not have",
      template({ Hello: fn({ Colour: "red" }) }),
      "Resource with id [Hello] is invalid. property Colour not defined for resource of type AWS::Serverless::Function",
    ],
    [
      "a property of the wrong type",
      template({ Hello: fn({ Tags: "x" }) }),
      "Resource with id [Hello] is invalid. Property 'Tags' should be a map.",
    ],
    [
      "a missing property",
      template({ Api: { Type: "AWS::Serverless::Api", Properties: {} } }),
      "Resource with id [Api] is invalid. Missing required property 'StageName'.",
    ],
    [
      "an unknown section of Globals",
      template({ Hello: fn() }, { Globals: { Table: {} } }),
      "'Globals' section is invalid. 'Table' is not supported. Must be one of the following values - ['Api', 'CapacityProvider', 'Function', 'HttpApi', 'LayerVersion', 'MicrovmImage', 'NetworkConnector', 'SimpleTable', 'StateMachine', 'WebSocketApi']",
    ],
    [
      "the tag that SAM sets itself",
      template({ Hello: fn({ Tags: { "lambda:createdBy": "me" } }) }),
      "Resource with id [Hello] is invalid. lambda:createdBy is a reserved Tag key name and cannot be set on your resource. Please change the tag key in the input.",
    ],
    [
      "a logical id that is not alphanumeric",
      template({ "My-Function": fn() }),
      "Resource with id [My-Function] is invalid. Logical ids must be alphanumeric.",
    ],
    [
      "an id that a generated resource needs",
      template({ Hello: fn(), HelloRole: { Type: "AWS::SNS::Topic" } }),
      'Transforming resource with id [Hello] attempts to create a new resource with id [HelloRole] and type "AWS::IAM::Role". A resource with that id already exists within this template. Please use a different id for that resource.',
    ],
    [
      "one method of one path twice",
      template({
        Hello: fn({
          Events: {
            A: { Type: "Api", Properties: { Path: "/", Method: "get" } },
            B: { Type: "Api", Properties: { Path: "/", Method: "GET" } },
          },
        }),
      }),
      'Resource with id [Hello] is invalid. Event with id [B] is invalid. API method "get" defined multiple times for path "/".',
    ],
    [
      "a type of the specification that is not transformed yet",
      template({ Api: { Type: "AWS::Serverless::GraphQLApi", Properties: {} } }),
      "Resource with id [Api] is invalid. Resources of type AWS::Serverless::GraphQLApi are not supported yet.",
    ],
  ];

  it.each(refusals)("%s", (_name, input, message) => {
    expect(messageOf(input)).toBe(prefix + message);
  });

  it("all that is wrong at once, in the order of the logical ids", () => {
    expect(messageOf(template({ B: fn({ X: 1 }), A: fn({ Y: 1 }) }))).toBe(
      "Invalid Serverless Application Specification document. Number of errors found: 2. " +
        "Resource with id [A] is invalid. property Y not defined for resource of type AWS::Serverless::Function " +
        "Resource with id [B] is invalid. property X not defined for resource of type AWS::Serverless::Function",
    );
  });
});

describe("transformSam of templates that are wrong somewhere", () => {
  const base = template(
    {
      Hello: fn({
        AutoPublishAlias: "live",
        DeploymentPreference: { Type: "AllAtOnce", Alarms: [{ Ref: "Alarm" }] },
        EventInvokeConfig: { DestinationConfig: { OnFailure: { Type: "SQS" } } },
        FunctionUrlConfig: { AuthType: "NONE", Cors: { AllowOrigins: ["*"] } },
        Policies: [{ S3ReadPolicy: { BucketName: "b" } }, { Statement: [] }, "AWSLambdaRole"],
        Events: {
          Api: {
            Type: "Api",
            Properties: {
              Path: "/a/{b}",
              Method: "any",
              RestApiId: { Ref: "Rest" },
              Auth: { Authorizer: "Pool", ResourcePolicy: { IpRangeWhitelist: ["1.2.3.4"] } },
              RequestModel: { Model: "User", ValidateBody: true },
              RequestParameters: ["method.request.header.A", { "method.request.path.b": { Required: true } }],
            },
          },
          Http: { Type: "HttpApi", Properties: { Path: "/h", Method: "get", ApiId: { Ref: "Http" }, Auth: {} } },
          Queue: { Type: "SQS", Properties: { Queue: "arn", FilterCriteria: { Filters: [] } } },
          Kafka: {
            Type: "SelfManagedKafka",
            Properties: {
              KafkaBootstrapServers: ["a:1"],
              Topics: ["t"],
              SourceAccessConfigurations: [{ Type: "BASIC_AUTH", URI: "arn" }],
            },
          },
          Topic: { Type: "SNS", Properties: { Topic: { Ref: "Topic" }, SqsSubscription: true } },
          Upload: { Type: "S3", Properties: { Bucket: { Ref: "Bucket" }, Events: "s3:ObjectCreated:*" } },
          Timer: { Type: "Schedule", Properties: { Schedule: "rate(1 minute)", DeadLetterConfig: { Type: "SQS" } } },
          Later: { Type: "ScheduleV2", Properties: { ScheduleExpression: "rate(1 minute)" } },
        },
      }),
      Rest: {
        Type: "AWS::Serverless::Api",
        Properties: {
          StageName: "Prod",
          Cors: { AllowOrigin: "'a'", MaxAge: 1 },
          Auth: {
            DefaultAuthorizer: "Pool",
            ApiKeyRequired: true,
            UsagePlan: { CreateUsagePlan: "SHARED" },
            Authorizers: {
              Pool: { UserPoolArn: "arn" },
              Fn: { FunctionArn: "arn", FunctionPayloadType: "REQUEST", Identity: { Headers: ["A"] } },
            },
          },
          Models: { User: { type: "object" } },
          GatewayResponses: { UNAUTHORIZED: { StatusCode: 401, ResponseParameters: { Headers: { A: "'b'" } } } },
          Domain: { DomainName: "d", CertificateArn: "c", BasePath: ["p"], Route53: { HostedZoneId: "z", IpV6: true } },
        },
      },
      Http: {
        Type: "AWS::Serverless::HttpApi",
        Condition: "Always",
        Properties: {
          CorsConfiguration: { AllowOrigins: ["*"] },
          Auth: {
            DefaultAuthorizer: "Jwt",
            Authorizers: { Jwt: { JwtConfiguration: { issuer: "i" }, IdentitySource: "$request.header.A" } },
          },
          Domain: { DomainName: "h", CertificateArn: "c", Route53: { HostedZoneId: "z" } },
        },
      },
      Flow: {
        Type: "AWS::Serverless::StateMachine",
        Properties: {
          Definition: { StartAt: "A", States: { A: { Type: "Task", Resource: { Ref: "Hello" }, End: true } } },
          AutoPublishAlias: "live",
          Policies: ["AWSLambdaRole"],
          Events: {
            Start: { Type: "Api", Properties: { Path: "/start", Method: "post", RestApiId: { Ref: "Rest" } } },
          },
        },
      },
      Layer: { Type: "AWS::Serverless::LayerVersion", Properties: { ContentUri: { Bucket: "b", Key: "k" } } },
      Table: { Type: "AWS::Serverless::SimpleTable", Properties: { PrimaryKey: { Name: "id", Type: "String" } } },
      Bucket: { Type: "AWS::S3::Bucket" },
      Topic: { Type: "AWS::SNS::Topic" },
    },
    {
      Globals: { Function: { Environment: { Variables: { A: { "Fn::Sub": "${AWS::Region}-${Stage}" } } } } },
      Parameters: { Stage: { Type: "String", Default: "dev" } },
      Conditions: { Always: { "Fn::Equals": [1, 1] } },
      Mappings: { M: { a: { b: "c" } } },
    },
  );

  it("transforms what is right", () => {
    expect(messageOf(base)).toBe("no error");
  });

  const odd: readonly unknown[] = [
    null,
    true,
    0,
    -1.5,
    "",
    "constructor",
    "__proto__",
    [],
    [null],
    {},
    { Ref: "Stage" },
    { Ref: ["Stage"] },
    { Ref: "AWS::NoValue" },
    { "Fn::If": ["Always", { Ref: "AWS::NoValue" }, "x"] },
    { "Fn::If": "Always" },
    { "Fn::If": [] },
    { "Fn::GetAtt": "a.b" },
    { "Fn::Sub": ["${a}", {}] },
    { "Fn::Sub": null },
    { "Fn::FindInMap": ["M", "a", "b"] },
    { a: 1, b: [2] },
  ];

  it("throws SamTransformError and nothing else, whatever stands wherever", () => {
    const paths = pathsOf(base);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...paths), fc.constantFrom(...odd)), { minLength: 1, maxLength: 3 }),
        (changes) => {
          const mutated = structuredClone(base);
          for (const [at, value] of changes) put(mutated, at, structuredClone(value));
          messageOf(mutated);
        },
      ),
      { numRuns: 150 },
    );
  });
});

type Path = readonly (string | number)[];

function pathsOf(value: unknown, at: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const path: Path = at.concat(Array.isArray(value) ? Number(key) : key);
    return [path].concat(pathsOf(item, path));
  });
}

function put(target: unknown, path: Path, value: unknown): void {
  const [key, ...rest] = path;
  if (typeof target !== "object" || target === null || key === undefined) return;
  if (rest.length > 0) put(Reflect.get(target, key), rest, value);
  else Reflect.set(target, key, value);
}
