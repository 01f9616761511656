import {
  CreateRestApiCommand,
  APIGatewayClient,
  GetResourcesCommand,
  PutMethodCommand,
  GetRestApiCommand,
} from "@aws-sdk/client-api-gateway";
import { CloudFormationClient, CreateStackCommand, DeleteStackCommand } from "@aws-sdk/client-cloudformation";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DeleteLogGroupCommand,
  TagResourceCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { CreateTableCommand, DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateRoleCommand, PutUserPolicyCommand, TagUserCommand } from "@aws-sdk/client-iam";
import { CreateFunctionCommand, GetFunctionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { account, lambdaTrust, policy, startAccessTest, type AccessTest, type Keys } from "../../src/testing/access.ts";
import { zipOf } from "../../src/testing/functions.ts";

/** Access by attributes: what requests say, and the tags and settings of what they are about. */
let access: AccessTest;
let ann: Keys;

beforeAll(async () => {
  access = await startAccessTest();
  ann = await access.createUser("ann");
  await access.iam.send(new TagUserCommand({ UserName: "ann", Tags: [{ Key: "team", Value: "blue" }] }));
}, 60_000);
afterAll(() => access.stop());

/** From now on she may do what these statements say. */
async function may(...statements: readonly object[]): Promise<void> {
  const PolicyDocument = policy(...statements);
  await access.iam.send(new PutUserPolicyCommand({ UserName: "ann", PolicyName: "p", PolicyDocument }));
}

const allow = (Action: string | readonly string[], Condition: object, Resource = "*") => ({
  Effect: "Allow",
  Action,
  Resource,
  Condition,
});

async function outcome(sent: Promise<unknown>): Promise<string> {
  return sent.then(
    () => "allowed",
    (error: unknown) => (error instanceof Error && error.name.startsWith("AccessDenied") ? "denied" : String(error)),
  );
}

const settings = () => ({ ...access.platform.settings, forcePathStyle: true });
const asAnn = () => ({ ...settings(), credentials: ann });

describe("tags", () => {
  test("of the request decide what may be made, and with which keys", async () => {
    await may(
      allow(["logs:CreateLogGroup", "logs:TagResource"], {
        StringEquals: { "aws:RequestTag/team": "${aws:PrincipalTag/team}" },
        "ForAllValues:StringEquals": { "aws:TagKeys": ["team"] },
      }),
    );
    const logs = new CloudWatchLogsClient(asAnn());
    const create = (logGroupName: string, tags?: Record<string, string>) =>
      outcome(logs.send(new CreateLogGroupCommand({ logGroupName, tags })));
    expect(await create("/made/blue", { team: "blue" })).toBe("allowed");
    expect(await create("/made/red", { team: "red" })).toBe("denied");
    expect(await create("/made/none")).toBe("denied");
    expect(await create("/made/more", { team: "blue", cost: "1" })).toBe("denied");
  });

  test("of a log group decide about it and its streams, as they are now", async () => {
    const root = new CloudWatchLogsClient(settings());
    await root.send(new CreateLogGroupCommand({ logGroupName: "/of/red", tags: { team: "red" } }));
    await may(
      allow(["logs:CreateLogStream", "logs:DeleteLogGroup"], {
        StringEquals: { "aws:ResourceTag/team": "${aws:PrincipalTag/team}" },
      }),
    );
    const logs = new CloudWatchLogsClient(asAnn());
    const stream = () =>
      outcome(logs.send(new CreateLogStreamCommand({ logGroupName: "/of/red", logStreamName: "s" })));
    expect(await stream()).toBe("denied");
    const resourceArn = `arn:aws:logs:us-east-1:${account}:log-group:/of/red`;
    await root.send(new TagResourceCommand({ resourceArn, tags: { team: "blue" } }));
    expect(await stream()).toBe("allowed");
    expect(await outcome(logs.send(new DeleteLogGroupCommand({ logGroupName: "/of/red" })))).toBe("allowed");
  });

  test("of a table decide about its items; a variable in the resource is a tag too", async () => {
    const root = new DynamoDBClient(settings());
    for (const team of ["blue", "red"]) {
      await root.send(
        new CreateTableCommand({
          TableName: `table-${team}`,
          KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
          AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
          BillingMode: "PAY_PER_REQUEST",
          Tags: [{ Key: "team", Value: team }],
        }),
      );
    }
    const dynamodb = new DynamoDBClient(asAnn());
    const read = (TableName: string) =>
      dynamodb.send(new GetItemCommand({ TableName, Key: { id: { S: "1" } } })).then(
        () => "allowed",
        (error: unknown) => (error instanceof Error ? error.name : ""),
      );
    await may(allow("dynamodb:GetItem", { StringEquals: { "aws:ResourceTag/team": "blue" } }));
    expect(await read("table-red")).toBe("AccessDeniedException");
    expect(await read("table-blue")).not.toBe("AccessDeniedException");
    const Resource = `arn:aws:dynamodb:us-east-1:${account}:table/table-\${aws:ResourceTag/team}`;
    await may({ Effect: "Allow", Action: "dynamodb:GetItem", Resource });
    expect(await read("table-red")).not.toBe("AccessDeniedException");
  });

  test("of a function and of the role that it is handed", async () => {
    const roles = await Promise.all(
      ["blue", "red"].map((team) =>
        access.iam.send(
          new CreateRoleCommand({
            RoleName: `of-${team}`,
            AssumeRolePolicyDocument: lambdaTrust,
            Tags: [{ Key: "team", Value: team }],
          }),
        ),
      ),
    );
    const [blue = "", red = ""] = roles.map(({ Role }) => Role?.Arn ?? "");
    await may(
      allow("iam:PassRole", { StringEquals: { "iam:ResourceTag/team": "blue" } }),
      allow(["lambda:CreateFunction", "lambda:TagResource"], { StringEquals: { "aws:RequestTag/team": "blue" } }),
      allow("lambda:GetFunction", { StringEquals: { "aws:ResourceTag/team": "blue" } }),
    );
    const lambda = new LambdaClient(asAnn());
    const ZipFile = zipOf({ "index.mjs": "export const handler = () => 1;" });
    const create = (FunctionName: string, Role: string, Tags: Record<string, string>) =>
      outcome(
        lambda.send(
          new CreateFunctionCommand({
            FunctionName,
            Role,
            Tags,
            Runtime: "nodejs24.x",
            Handler: "index.handler",
            Code: { ZipFile },
          }),
        ),
      );
    expect(await create("f", blue, { team: "red" })).toBe("denied");
    expect(await create("f", red, { team: "blue" })).toBe("denied");
    expect(await create("f", blue, { team: "blue" })).toBe("allowed");
    expect(await outcome(lambda.send(new GetFunctionCommand({ FunctionName: "f" })))).toBe("allowed");
    expect(await outcome(lambda.send(new GetFunctionCommand({ FunctionName: "absent" })))).toBe("denied");
  });

  test("of a stack decide who takes it down; types of resources, what it may have", async () => {
    await may(
      allow("cloudformation:CreateStack", {
        "ForAllValues:StringLike": { "cloudformation:ResourceTypes": ["AWS::Logs::*"] },
        Null: { "cloudformation:ResourceTypes": "false" },
      }),
      allow("cloudformation:DeleteStack", { StringEquals: { "aws:ResourceTag/team": "blue" } }),
      { Effect: "Allow", Action: "logs:*", Resource: "*" },
    );
    const TemplateBody = JSON.stringify({ Resources: { G: { Type: "AWS::Logs::LogGroup" } } });
    const stacks = new CloudFormationClient(asAnn());
    const create = (StackName: string, ResourceTypes?: string[]) =>
      outcome(stacks.send(new CreateStackCommand({ StackName, TemplateBody, ResourceTypes })));
    expect(await create("free")).toBe("denied");
    expect(await create("wide", ["AWS::Logs::LogGroup", "AWS::IAM::Role"])).toBe("denied");
    expect(await create("narrow", ["AWS::Logs::LogGroup"])).not.toBe("denied");
    const root = new CloudFormationClient(settings());
    for (const team of ["blue", "red"]) {
      const Tags = [{ Key: "team", Value: team }];
      await root.send(new CreateStackCommand({ StackName: team, TemplateBody, Tags }));
    }
    expect(await outcome(stacks.send(new DeleteStackCommand({ StackName: "red" })))).toBe("denied");
    expect(await outcome(stacks.send(new DeleteStackCommand({ StackName: "blue" })))).toBe("allowed");
  });
});

describe("objects", () => {
  const Bucket = "attributes";
  beforeAll(async () => {
    const s3 = new S3Client(settings());
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutObjectCommand({ Bucket, Key: "public", Body: "1", Tagging: "class=public" }));
    await s3.send(new PutObjectCommand({ Bucket, Key: "secret", Body: "1", Tagging: "class=secret" }));
  });

  test("are read by their tags, and written with those that are allowed", async () => {
    await may(
      allow("s3:GetObject", { StringEquals: { "s3:ExistingObjectTag/class": "public" } }),
      allow(["s3:PutObject", "s3:PutObjectTagging"], {
        StringEquals: { "s3:RequestObjectTag/class": ["public"] },
        "ForAllValues:StringEquals": { "s3:RequestObjectTagKeys": ["class"] },
      }),
    );
    const s3 = new S3Client(asAnn());
    expect(await outcome(s3.send(new GetObjectCommand({ Bucket, Key: "public" })))).toBe("allowed");
    expect(await outcome(s3.send(new GetObjectCommand({ Bucket, Key: "secret" })))).toBe("denied");
    const put = (Tagging?: string) =>
      outcome(s3.send(new PutObjectCommand({ Bucket, Key: "new", Body: "1", Tagging })));
    expect(await put("class=public")).toBe("allowed");
    expect(await put("class=secret")).toBe("denied");
    expect(await put("class=public&x=y")).toBe("denied");
    expect(await put()).toBe("denied");
  });

  test("are read by URLs that are as young as a policy wants, or not at all", async () => {
    const s3 = new S3Client(asAnn());
    const get = async (signingDate: Date) => {
      const command = new GetObjectCommand({ Bucket, Key: "public" });
      return (await fetch(await getSignedUrl(s3, command, { expiresIn: 3_600, signingDate }))).status;
    };
    const tenMinutesAgo = new Date(Date.now() - 600_000);
    const read = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" };
    const never = (Condition: object) => ({ ...read, Effect: "Deny", Condition });
    await may(read, never({ NumericGreaterThan: { "s3:signatureAge": 300_000 } }));
    expect(await get(new Date())).toBe(200);
    expect(await get(tenMinutesAgo)).toBe(403);
    await may(read, never({ StringNotEquals: { "s3:authType": "REST-HEADER" } }));
    expect(await get(new Date())).toBe(403);
    expect(await outcome(s3.send(new GetObjectCommand({ Bucket, Key: "public" })))).toBe("allowed");
  });

  test("are made only where nothing is, if a policy asks for the condition", async () => {
    await may(
      { Effect: "Allow", Action: "s3:PutObject", Resource: "*" },
      {
        Effect: "Deny",
        Action: "s3:PutObject",
        Resource: "*",
        Condition: { Null: { "s3:if-none-match": "true" }, Bool: { "s3:ObjectCreationOperation": "true" } },
      },
    );
    const s3 = new S3Client(asAnn());
    const put = (IfNoneMatch?: string) =>
      outcome(s3.send(new PutObjectCommand({ Bucket, Key: "once", Body: "1", IfNoneMatch })));
    expect(await put()).toBe("denied");
    expect(await put("*")).toBe("allowed");
  });
});

describe("APIs", () => {
  test("are not opened where a policy wants authorization; their names and tags decide who changes them", async () => {
    const root = new APIGatewayClient(settings());
    const made = await Promise.all(
      ["blue", "red"].map((team) => root.send(new CreateRestApiCommand({ name: `api-${team}`, tags: { team } }))),
    );
    const [blue = "", red = ""] = made.map(({ id }) => id ?? "");
    const resources = await root.send(new GetResourcesCommand({ restApiId: blue }));
    const resourceId = resources.items?.[0]?.id ?? "";
    await may(
      allow("apigateway:PUT", { StringEquals: { "aws:ResourceTag/team": "blue" } }),
      {
        Effect: "Deny",
        Action: "apigateway:PUT",
        Resource: "*",
        Condition: { "ForAnyValue:StringEquals": { "apigateway:Request/RouteAuthorizationType": "NONE" } },
      },
      allow("apigateway:GET", { StringLike: { "apigateway:Resource/ApiName": "*-red" } }),
    );
    const gateway = new APIGatewayClient(asAnn());
    const put = (restApiId: string, authorizationType: string) =>
      outcome(gateway.send(new PutMethodCommand({ restApiId, resourceId, httpMethod: "GET", authorizationType })));
    expect(await put(blue, "NONE")).toBe("denied");
    expect(await put(red, "AWS_IAM")).toBe("denied");
    expect(await put(blue, "AWS_IAM")).toBe("allowed");
    expect(await outcome(gateway.send(new GetRestApiCommand({ restApiId: red })))).toBe("allowed");
    expect(await outcome(gateway.send(new GetRestApiCommand({ restApiId: blue })))).toBe("denied");
  });
});
