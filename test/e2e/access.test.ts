import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { GetFunctionCommand, InvokeCommand, LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, ListBucketsCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  clientSettings,
  createFunctionRole,
  createNodeFunction,
  type ClientSettings,
} from "../../src/testing/functions.ts";
import { startTestServer, type TestServer } from "../../src/testing/server.ts";

let server: TestServer;
let root: ClientSettings;

beforeAll(async () => {
  server = await startTestServer();
  root = clientSettings(server.environment);
});

afterAll(() => server.stop());

describe("a user with lambda:InvokeFunction on one function", () => {
  let user: ClientSettings;
  let userArn: string;

  beforeAll(async () => {
    const role = await createFunctionRole(root, "plain-role");
    const source = "export const handler = async () => 'done';";
    await createNodeFunction(root, { FunctionName: "mine", Role: role, source });
    await createNodeFunction(root, { FunctionName: "other", Role: role, source });
    const iam = new IAMClient(root);
    const created = await iam.send(new CreateUserCommand({ UserName: "caller" }));
    userArn = created.User?.Arn ?? "";
    const Statement = [
      {
        Effect: "Allow",
        Action: "lambda:InvokeFunction",
        Resource: "arn:aws:lambda:us-east-1:000000000000:function:mine",
      },
    ];
    const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
    await iam.send(new PutUserPolicyCommand({ UserName: "caller", PolicyName: "one", PolicyDocument }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "caller" }));
    user = {
      ...root,
      credentials: { accessKeyId: AccessKey?.AccessKeyId ?? "", secretAccessKey: AccessKey?.SecretAccessKey ?? "" },
    };
  });

  test("can invoke it", async () => {
    const answer = await new LambdaClient(user).send(new InvokeCommand({ FunctionName: "mine" }));
    expect(Buffer.from(answer.Payload ?? []).toString()).toBe('"done"');
  });

  test("may always ask who they are", async () => {
    expect((await new STSClient(user).send(new GetCallerIdentityCommand({}))).Arn).toBe(userArn);
  });

  test("is refused everything else, told which action and resource", async () => {
    const lambda = new LambdaClient(user);
    await expect(lambda.send(new InvokeCommand({ FunctionName: "other" }))).rejects.toMatchObject({
      name: "AccessDeniedException",
      $metadata: { httpStatusCode: 403 },
      message: `User: ${userArn} is not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:000000000000:function:other because no identity-based policy allows the lambda:InvokeFunction action`,
    });
    await expect(lambda.send(new GetFunctionCommand({ FunctionName: "mine" }))).rejects.toMatchObject({
      name: "AccessDeniedException",
    });
    await expect(lambda.send(new ListFunctionsCommand({}))).rejects.toMatchObject({ name: "AccessDeniedException" });
    await expect(new S3Client(user).send(new ListBucketsCommand({}))).rejects.toMatchObject({ name: "AccessDenied" });
    await expect(new IAMClient(user).send(new CreateUserCommand({ UserName: "x" }))).rejects.toMatchObject({
      name: "AccessDenied",
    });
    const assume = new AssumeRoleCommand({
      RoleArn: "arn:aws:iam::000000000000:role/plain-role",
      RoleSessionName: "session",
    });
    await expect(new STSClient(user).send(assume)).rejects.toMatchObject({ name: "AccessDenied" });
  });
});

const listWith = (settings: Partial<ClientSettings["credentials"]>) =>
  new LambdaClient({ ...root, credentials: { ...root.credentials, ...settings } }).send(new ListFunctionsCommand({}));

describe("a call that is not what was signed", () => {
  test("with a wrong secret answers InvalidSignatureException", async () => {
    await expect(listWith({ secretAccessKey: "wrong" })).rejects.toMatchObject({
      name: "InvalidSignatureException",
      $metadata: { httpStatusCode: 403 },
    });
  });

  test("with an unknown key answers UnrecognizedClientException", async () => {
    await expect(listWith({ accessKeyId: "AKIAUNKNOWNUNKNOWN00" })).rejects.toMatchObject({
      name: "UnrecognizedClientException",
      $metadata: { httpStatusCode: 403 },
    });
  });

  test("with a made-up session token answers UnrecognizedClientException", async () => {
    await expect(listWith({ sessionToken: "made-up" })).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
  });

  test("without a signature answers MissingAuthenticationTokenException", async () => {
    const response = await fetch(`${server.endpoint}/2015-03-31/functions/`);
    expect(response.status).toBe(403);
    expect(response.headers.get("x-amzn-errortype")).toContain("MissingAuthenticationToken");
  });

  test("with a tampered body answers InvalidSignatureException", async () => {
    const lambda = new LambdaClient(root);
    lambda.middlewareStack.add(
      (next) => (args) => {
        const request: unknown = args.request;
        if (typeof request === "object" && request !== null && "body" in request) request.body = "[]";
        return next(args);
      },
      { step: "deserialize", priority: "low" },
    );
    await expect(
      lambda.send(new InvokeCommand({ FunctionName: "mine", Payload: Buffer.from("{}") })),
    ).rejects.toMatchObject({
      $metadata: { httpStatusCode: 403 },
    });
  });

  test("signed a quarter of an hour ago is refused", async () => {
    const lambda = new LambdaClient({ ...root, systemClockOffset: -16 * 60_000 });
    await expect(lambda.send(new ListFunctionsCommand({}))).rejects.toMatchObject({
      name: "InvalidSignatureException",
      $metadata: { httpStatusCode: 403 },
    });
  });
});

const readFrom = async (functionName: string, bucket: string): Promise<unknown> => {
  const Payload = Buffer.from(JSON.stringify({ bucket }));
  const answer = await new LambdaClient(root).send(new InvokeCommand({ FunctionName: functionName, Payload }));
  return JSON.parse(Buffer.from(answer.Payload ?? []).toString());
};

describe("a function with role A", () => {
  beforeAll(async () => {
    const s3 = new S3Client({ ...root, forcePathStyle: true });
    for (const name of ["a-things", "b-things"]) {
      await s3.send(new CreateBucketCommand({ Bucket: name }));
      await s3.send(new PutObjectCommand({ Bucket: name, Key: "k", Body: `content of ${name}` }));
    }
    const source = `
      import { createHmac, createHash } from "node:crypto";
      // A signed request by hand: a function has no SDK unless it brings one.
      export const handler = async ({ bucket }) => {
        const url = new URL(process.env.AWS_ENDPOINT_URL + "/" + bucket + "/k");
        const date = new Date().toISOString().replace(/[-:]|\\.\\d{3}/g, "");
        const scope = [date.slice(0, 8), process.env.AWS_REGION, "s3", "aws4_request"];
        const headers = { host: url.host, "x-amz-content-sha256": "UNSIGNED-PAYLOAD", "x-amz-date": date, "x-amz-security-token": process.env.AWS_SESSION_TOKEN };
        const names = Object.keys(headers).sort();
        const canonical = ["GET", url.pathname, "", ...names.map((n) => n + ":" + headers[n]), "", names.join(";"), "UNSIGNED-PAYLOAD"].join("\\n");
        const text = ["AWS4-HMAC-SHA256", date, scope.join("/"), createHash("sha256").update(canonical).digest("hex")].join("\\n");
        const key = scope.reduce((k, part) => createHmac("sha256", k).update(part).digest(), "AWS4" + process.env.AWS_SECRET_ACCESS_KEY);
        const signature = createHmac("sha256", key).update(text).digest("hex");
        headers.authorization = "AWS4-HMAC-SHA256 Credential=" + process.env.AWS_ACCESS_KEY_ID + "/" + scope.join("/") + ", SignedHeaders=" + names.join(";") + ", Signature=" + signature;
        delete headers.host;
        const response = await fetch(url, { headers });
        return { status: response.status, body: await response.text() };
      };`;
    for (const letter of ["a", "b"]) {
      const role = await createFunctionRole(root, `role-${letter}`, [
        { Effect: "Allow", Action: "s3:GetObject", Resource: `arn:aws:s3:::${letter}-things/*` },
      ]);
      await createNodeFunction(root, { FunctionName: `reader-${letter}`, Role: role, source, Timeout: 10 });
    }
  });

  test("can do what role A may, at the endpoint it was given", async () => {
    expect(await readFrom("reader-a", "a-things")).toEqual({ status: 200, body: "content of a-things" });
  });

  test("cannot do what only role B may", async () => {
    expect(await readFrom("reader-a", "b-things")).toMatchObject({
      status: 403,
      body: expect.stringContaining("AccessDenied") as string,
    });
    expect(await readFrom("reader-b", "b-things")).toMatchObject({ status: 200 });
  });
});
