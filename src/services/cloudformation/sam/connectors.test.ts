import { describe, expect, test } from "vitest";
import { SamTransformError, transformSam } from "./transform.ts";

const options = { parameters: {}, region: "eu-west-1", managedPolicies: {}, now: 0 };
const fn = (rest: object = {}) => ({
  Type: "AWS::Serverless::Function",
  Properties: { InlineCode: "x", Handler: "index.handler", Runtime: "nodejs22.x" },
  ...rest,
});
const resourcesOf = (Resources: object) =>
  Object(transformSam({ Resources }, options).template["Resources"]) as Record<string, unknown>;

function messageOf(Resources: object): string {
  try {
    transformSam({ Resources }, options);
    return "no error";
  } catch (error) {
    return error instanceof SamTransformError ? error.message : String(error);
  }
}

describe("connectors become what AWS's transform makes of them:", () => {
  test("a policy for the role of the function that is the source", () => {
    const { FToTablePolicy } = resourcesOf({
      F: fn({ Connectors: { ToTable: { Properties: { Destination: { Id: "T" }, Permissions: ["Write", "Read"] } } } }),
      T: { Type: "AWS::Serverless::SimpleTable" },
    });
    const Resource = [
      { "Fn::GetAtt": ["T", "Arn"] },
      { "Fn::Sub": ["${DestinationArn}/index/*", { DestinationArn: { "Fn::GetAtt": ["T", "Arn"] } }] },
    ];
    expect(FToTablePolicy).toMatchObject({
      Type: "AWS::IAM::ManagedPolicy",
      Metadata: {
        "aws:sam:connectors": {
          FToTable: {
            Source: { Type: "AWS::Serverless::Function" },
            Destination: { Type: "AWS::Serverless::SimpleTable" },
          },
        },
      },
      Properties: {
        Roles: [{ Ref: "FRole" }],
        PolicyDocument: {
          Version: "2012-10-17",
          Statement: [
            { Effect: "Allow", Action: expect.arrayContaining(["dynamodb:GetItem"]) as string[], Resource },
            { Effect: "Allow", Action: expect.arrayContaining(["dynamodb:PutItem"]) as string[], Resource },
          ],
        },
      },
    });
  });

  test("a permission of the function that an API or a bucket calls", () => {
    const made = resourcesOf({
      F: fn(),
      Api: { Type: "AWS::Serverless::HttpApi" },
      B: {
        Type: "AWS::S3::Bucket",
        DependsOn: "C",
        Connectors: { Call: { Properties: { Destination: { Id: "F" }, Permissions: ["Write"] } } },
      },
      C: {
        Type: "AWS::Serverless::Connector",
        Properties: { Source: { Id: "Api", Qualifier: "prod/*" }, Destination: { Id: "F" }, Permissions: ["Write"] },
      },
    });
    expect(made["CWriteLambdaPermission"]).toMatchObject({
      Type: "AWS::Lambda::Permission",
      Properties: {
        Principal: "apigateway.amazonaws.com",
        FunctionName: { "Fn::GetAtt": ["F", "Arn"] },
        SourceArn: {
          "Fn::Sub": [
            "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${SourceResourceId}/${SourceQualifier}",
            { SourceResourceId: { Ref: "Api" }, SourceQualifier: "prod/*" },
          ],
        },
      },
    });
    expect(made["BCallWriteLambdaPermission"]).toMatchObject({
      Properties: { SourceArn: { "Fn::GetAtt": ["B", "Arn"] }, SourceAccount: { "Fn::Sub": "${AWS::AccountId}" } },
    });
    expect(made["B"]).toEqual({ Type: "AWS::S3::Bucket", DependsOn: ["CWriteLambdaPermission"] });
    expect(made["C"]).toBeUndefined();
  });

  test("one for each of several destinations; a mapping waits for the policy that it reads with", () => {
    const Events = {
      S: { Type: "DynamoDB", Properties: { Stream: { "Fn::GetAtt": ["T", "StreamArn"] }, StartingPosition: "LATEST" } },
    };
    const made = resourcesOf({
      F: fn({
        Connectors: { All: { Properties: { Destination: [{ Id: "B" }, { Id: "G" }], Permissions: ["Write"] } } },
      }),
      G: { ...fn(), Properties: { ...fn().Properties, Events } },
      B: { Type: "AWS::S3::Bucket" },
      T: {
        Type: "AWS::DynamoDB::Table",
        Connectors: { Stream: { Properties: { Destination: { Id: "G" }, Permissions: ["Read"] } } },
      },
    });
    expect(Object.keys(made)).toEqual(expect.arrayContaining(["FAllPolicyDestination0", "FAllPolicyDestination1"]));
    expect(made["GS"]).toMatchObject({ DependsOn: ["TStreamPolicy"] });
    expect(made["TStreamPolicy"]).toMatchObject({ Properties: { Roles: [{ Ref: "GRole" }] } });
  });
});

const connector = (Properties: object) => ({
  F: fn(),
  B: { Type: "AWS::S3::Bucket" },
  C: { Type: "AWS::Serverless::Connector", Properties },
});

describe("connectors are refused in AWS's words:", () => {
  const toBucket = { Source: { Id: "F" }, Destination: { Id: "B" } };

  test.each([
    [
      { ...toBucket, Destination: { Id: "None" }, Permissions: ["Read"] },
      "Unable to find resource with logical ID 'None'.",
    ],
    [
      { ...toBucket, Permissions: ["Delete"] },
      "Unsupported 'Permissions' provided for connector from AWS::Lambda::Function to AWS::S3::Bucket; valid values are: Read, Write.",
    ],
    [{ ...toBucket, Permissions: [] }, "'Permissions' cannot be empty; valid values are: Read, Write."],
    [
      { ...toBucket, Source: { Id: "B" }, Permissions: ["Read"] },
      "Unable to create connector from AWS::S3::Bucket to AWS::S3::Bucket; it's not supported or the template is invalid.",
    ],
    [
      { ...toBucket, Source: { Id: "F", Arn: "x" }, Permissions: ["Read"] },
      "Must provide 'Id' (with optional 'Qualifier') or a supported combination of other properties.",
    ],
    [
      { ...toBucket, Source: { Type: "AWS::Lambda::Function" }, Permissions: ["Read"] },
      "Unable to get IAM role name from 'Source' resource.",
    ],
    [{ ...toBucket, Destination: [], Permissions: ["Read"] }, "'Destination' is an empty list"],
    [{ Source: { Id: "F" }, Permissions: ["Read"] }, "Missing required property 'Destination'."],
  ])("%j", (properties, message) => {
    expect(messageOf(connector(properties))).toBe(
      `Invalid Serverless Application Specification document. Number of errors found: 1. Resource with id [C] is invalid. ${message}`,
    );
  });
});
