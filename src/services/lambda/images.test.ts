import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import * as cfn from "@aws-sdk/client-cloudformation";
import * as ecrSdk from "@aws-sdk/client-ecr";
import * as sdk from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { policy, refusal, startAccessTest, statement, type AccessTest } from "../../testing/access.ts";
import { createFunctionRole } from "../../testing/functions.ts";
import { findCompiler, pushImage, runtimeSource, tarOf, type PushedImage } from "../../testing/image.ts";

let access: AccessTest;
let lambda: sdk.LambdaClient;
let ecr: ecrSdk.ECRClient;
let login: string;
let role: string;
let scratch: string;
const compiler = await findCompiler();
const skopeo = await promisify(execFile)("skopeo", ["--version"]).then(
  () => true,
  () => false,
);

beforeAll(async () => {
  access = await startAccessTest();
  const { settings } = access.platform;
  lambda = new sdk.LambdaClient(settings);
  ecr = new ecrSdk.ECRClient(settings);
  role = await createFunctionRole(settings, "images");
  await ecr.send(new ecrSdk.CreateRepositoryCommand({ repositoryName: "app" }));
  const { authorizationData } = await ecr.send(new ecrSdk.GetAuthorizationTokenCommand({}));
  login = authorizationData?.[0]?.authorizationToken ?? "";
  scratch = await mkdtemp(join(tmpdir(), "image-"));
});
afterAll(async () => {
  await access.stop();
  await rm(scratch, { recursive: true, force: true });
});

function push(tag: string, more: { config?: object; architecture?: string; content?: string } = {}) {
  return pushImage(access.platform.endpoint, login, "app", tag, {
    layers: [tarOf([{ path: "file", content: more.content ?? tag }])],
    config: more.config ?? { Entrypoint: ["/main"] },
    ...(more.architecture !== undefined && { architecture: more.architecture }),
  });
}

function create(name: string, ImageUri: string, more: Partial<sdk.CreateFunctionCommandInput> = {}, as = lambda) {
  return as.send(
    new sdk.CreateFunctionCommand({
      FunctionName: name,
      Role: role,
      PackageType: "Image",
      Code: { ImageUri },
      ...more,
    }),
  );
}

const host = () => new URL(access.platform.endpoint).host;
const hex = (image: PushedImage) => image.digest.slice("sha256:".length);

describe("functions from images", () => {
  test("an image is resolved when it is given, and described as AWS does", async () => {
    const first = await push("moving", { content: "1" });
    const created = await create("described", `${host()}/app:moving`, { ImageConfig: { Command: ["a", "b"] } });
    expect(created).toMatchObject({
      PackageType: "Image",
      CodeSha256: hex(first),
      CodeSize: 0,
      ImageConfigResponse: { ImageConfig: { Command: ["a", "b"] } },
    });
    expect(created.Runtime).toBeUndefined();
    expect(created.Handler).toBeUndefined();
    const second = await push("moving", { content: "2" });
    const got = await lambda.send(new sdk.GetFunctionCommand({ FunctionName: "described" }));
    expect(got.Code).toEqual({
      RepositoryType: "ECR",
      ImageUri: `${host()}/app:moving`,
      ResolvedImageUri: `${host()}/app@${first.digest}`,
    });
    const updated = await lambda.send(
      new sdk.UpdateFunctionCodeCommand({
        FunctionName: "described",
        ImageUri: `000000000000.dkr.ecr.us-east-1.amazonaws.com/app:moving`,
        Publish: true,
      }),
    );
    expect([updated.Version, updated.CodeSha256]).toEqual(["1", hex(second)]);
    const plain = await lambda.send(
      new sdk.UpdateFunctionConfigurationCommand({ FunctionName: "described", ImageConfig: { Command: [] } }),
    );
    expect(plain.ImageConfigResponse).toBeUndefined();
    await lambda.send(new sdk.DeleteFunctionCommand({ FunctionName: "described" }));
  });

  test("Lambda is let in by the repository's policy, where the caller may say so", async () => {
    const image = await push("policy");
    await create("let-in", image.uri);
    const { policyText } = await ecr.send(new ecrSdk.GetRepositoryPolicyCommand({ repositoryName: "app" }));
    expect(JSON.parse(policyText ?? "")).toMatchObject({
      Statement: [
        {
          Sid: "LambdaECRImageRetrievalPolicy",
          Principal: { Service: "lambda.amazonaws.com" },
          Condition: { StringLike: { "aws:sourceArn": "arn:aws:lambda:us-east-1:000000000000:function:*" } },
        },
      ],
    });
    await ecr.send(new ecrSdk.DeleteRepositoryPolicyCommand({ repositoryName: "app" }));
    const keys = await access.createUser("deployer", policy(statement(["lambda:*", "iam:PassRole"])));
    const deployer = new sdk.LambdaClient({ ...access.platform.settings, credentials: keys });
    expect(await refusal(create("kept-out", image.uri, {}, deployer))).toEqual({
      name: "AccessDeniedException",
      status: 403,
      message: "Lambda does not have permission to access the ECR image. Check the ECR permissions.",
    });
  });

  test.each([
    ["app:absent", "does not exist. Provide a valid source image."],
    ["nothing:latest", "does not exist. Provide a valid source image."],
    ["app@sha256:12", "is not valid. Provide a valid source image."],
  ])("the image %s is refused", async (path, reason) => {
    const uri = `${host()}/${path}`;
    expect(await refusal(create("refused", uri))).toMatchObject({
      name: "InvalidParameterValueException",
      message: `Source image ${uri} ${reason}`,
    });
  });

  test("an image of another registry is refused", async () => {
    expect(await refusal(create("refused", "docker.io/library/busybox:latest"))).toMatchObject({
      message: "Source image docker.io/library/busybox:latest is not valid. Provide a valid source image.",
    });
  });

  test("an image for another architecture is refused", async () => {
    const { uri } = await push("arm", { architecture: "arm64" });
    expect((await refusal(create("refused", uri))).message).toContain("The architecture arm64 of the source image");
  });

  test("members of the other kind of function are refused", async () => {
    const { uri } = await push("kinds");
    for (const more of [
      { Handler: "a.b" },
      { Runtime: "nodejs24.x" as const },
      { Layers: ["arn:aws:lambda:us-east-1:000000000000:layer:l:1"] },
    ]) {
      expect(await refusal(create("refused", uri, more))).toMatchObject({
        name: "InvalidParameterValueException",
        message: "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.",
      });
    }
    await create("kind", uri);
    const zipped = lambda.send(new sdk.UpdateFunctionCodeCommand({ FunctionName: "kind", ZipFile: Buffer.from("PK") }));
    expect((await refusal(zipped)).message).toBe(
      "Please provide ImageUri when updating a function with packageType Image.",
    );
    const handler = lambda.send(new sdk.UpdateFunctionConfigurationCommand({ FunctionName: "kind", Handler: "a.b" }));
    expect((await refusal(handler)).message).toContain("Please don't provide Handler");
  });
});

async function invoke(name: string, payload: unknown): Promise<unknown> {
  const { Payload } = await lambda.send(
    new sdk.InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(payload)) }),
  );
  return JSON.parse(Buffer.from(Payload ?? []).toString("utf8"));
}

function copy(from: string, to: string, args: readonly string[]) {
  return promisify(execFile)("skopeo", ["copy", "--insecure-policy", ...args, from, to]);
}

describe.skipIf(compiler === undefined || process.getuid?.() !== 0)(
  "images that run (skipped without a C compiler, or as a plain user)",
  () => {
    let main: Uint8Array;

    beforeAll(async () => {
      await writeFile(join(scratch, "main.c"), runtimeSource);
      await promisify(execFile)(compiler ?? "", [
        "-static",
        "-O1",
        "-o",
        join(scratch, "main"),
        join(scratch, "main.c"),
      ]);
      main = await readFile(join(scratch, "main"));
    }, 30_000);

    const pushMain = (tag: string, config: object) =>
      pushImage(access.platform.endpoint, login, "app", tag, {
        layers: [
          tarOf([
            { path: "app/main", content: main, mode: 0o755 },
            { path: "app/old", content: "1" },
          ]),
          tarOf([{ path: "app/.wh.old" }, { path: "bin", type: "2", target: "app" }]),
        ],
        config,
      });

    test("an image runs as it is, and with ImageConfig and variables of the function", async () => {
      const { uri } = await pushMain("runs", {
        Entrypoint: ["/bin/main"],
        Cmd: ["of-image"],
        WorkingDir: "/app",
        Env: ["PATH=/app", "GREETING=image", "FROM_IMAGE=yes"],
      });
      await create("runs", uri, { Timeout: 20 });
      expect(await invoke("runs", { n: 1 })).toMatchObject({
        event: { n: 1 },
        arguments: ["/bin/main", "of-image"],
        directory: "/app",
        root: ["app", "bin", "dev", "etc", "proc", "tmp"],
        greeting: "image",
        fromImage: "yes",
        function: "runs",
        writable: ["/tmp"],
      });
      await lambda.send(
        new sdk.UpdateFunctionConfigurationCommand({
          FunctionName: "runs",
          Environment: { Variables: { GREETING: "function" } },
          ImageConfig: { EntryPoint: ["main"], Command: ["of-function"], WorkingDirectory: "/etc" },
        }),
      );
      expect(await invoke("runs", 2)).toMatchObject({
        event: 2,
        arguments: ["main", "of-function"],
        directory: "/etc",
        greeting: "function",
      });
      // It goes on without its image in the repository, for it is unpacked.
      await ecr.send(new ecrSdk.BatchDeleteImageCommand({ repositoryName: "app", imageIds: [{ imageTag: "runs" }] }));
      expect(await invoke("runs", 3)).toMatchObject({ event: 3 });
    });

    test("AWS::ECR::Repository and a function from an image are deployed, changed and deleted by a stack", async () => {
      const cloudformation = new cfn.CloudFormationClient(access.platform.settings);
      const { uri } = await pushMain("stack", { Entrypoint: ["/app/main"] });
      const template = (command: string, mutability: string) =>
        JSON.stringify({
          Transform: "AWS::Serverless-2016-10-31",
          Resources: {
            Repository: {
              Type: "AWS::ECR::Repository",
              Properties: { ImageTagMutability: mutability, EmptyOnDelete: true, Tags: [{ Key: "team", Value: "a" }] },
            },
            Function: {
              Type: "AWS::Serverless::Function",
              Properties: { PackageType: "Image", ImageUri: uri, ImageConfig: { Command: [command] }, Role: role },
            },
          },
          Outputs: {
            Uri: { Value: { "Fn::GetAtt": ["Repository", "RepositoryUri"] } },
            Name: { Value: { Ref: "Function" } },
          },
        });
      const more = {
        StackName: "images",
        Capabilities: ["CAPABILITY_IAM" as const, "CAPABILITY_AUTO_EXPAND" as const],
      };
      const outputs = async () => {
        const { Stacks } = await cloudformation.send(new cfn.DescribeStacksCommand({ StackName: "images" }));
        const found = Stacks?.[0]?.Outputs ?? [];
        return Object.fromEntries(found.map((each) => [each.OutputKey, each.OutputValue ?? ""]));
      };
      const wait = { client: cloudformation, maxWaitTime: 30, minDelay: 0.1, maxDelay: 0.2 };
      await cloudformation.send(new cfn.CreateStackCommand({ ...more, TemplateBody: template("one", "IMMUTABLE") }));
      await cfn.waitUntilStackCreateComplete(wait, { StackName: "images" });
      const { Uri = "", Name = "" } = await outputs();
      expect(Uri).toMatch(new RegExp(`^${host()}/images-repository-[a-z0-9]+$`));
      expect(await invoke(Name, 1)).toMatchObject({ arguments: ["/app/main", "one"] });
      const repositoryName = Uri.slice(host().length + 1);
      const pushed = await pushImage(access.platform.endpoint, login, repositoryName, "v1", { layers: [], config: {} });
      expect(pushed.digest).toMatch(/^sha256:/);
      await cloudformation.send(new cfn.UpdateStackCommand({ ...more, TemplateBody: template("two", "MUTABLE") }));
      await cfn.waitUntilStackUpdateComplete(wait, { StackName: "images" });
      expect(await invoke(Name, 1)).toMatchObject({ arguments: ["/app/main", "two"] });
      const { repositories } = await ecr.send(
        new ecrSdk.DescribeRepositoriesCommand({ repositoryNames: [repositoryName] }),
      );
      expect(repositories?.[0]?.imageTagMutability).toBe("MUTABLE");
      await cloudformation.send(new cfn.DeleteStackCommand({ StackName: "images" }));
      await cfn.waitUntilStackDeleteComplete(wait, { StackName: "images" });
      const gone = ecr.send(new ecrSdk.DescribeRepositoriesCommand({ repositoryNames: [repositoryName] }));
      expect((await refusal(gone)).name).toBe("RepositoryNotFoundException");
    }, 60_000);

    test.skipIf(!skopeo)(
      "an image that skopeo pushes runs, and is pulled again as it was (skipped without skopeo)",
      async () => {
        const { digest } = await pushMain("for-skopeo", { Entrypoint: ["/app/main"], Cmd: ["skopeo"] });
        await ecr.send(new ecrSdk.CreateRepositoryCommand({ repositoryName: "copies/of" }));
        const password = Buffer.from(login, "base64").toString();
        const from = ["--src-tls-verify=false", "--src-creds", password];
        const to = ["--dest-tls-verify=false", "--dest-creds", password];
        const archive = `oci-archive:${join(scratch, "image.tar")}`;
        await copy(`docker://${host()}/app:for-skopeo`, archive, from);
        await copy(archive, `docker://${host()}/copies/of:v1`, to);
        await copy(archive, `docker://${host()}/copies/of:docker`, [...to, "--format", "v2s2"]);
        const { images } = await ecr.send(
          new ecrSdk.BatchGetImageCommand({ repositoryName: "copies/of", imageIds: [{ imageTag: "v1" }] }),
        );
        expect(images?.[0]?.imageId?.imageDigest).toBe(digest);
        for (const tag of ["v1", "docker"]) {
          await create(`skopeo-${tag}`, `${host()}/copies/of:${tag}`, { Timeout: 20 });
          expect(await invoke(`skopeo-${tag}`, {})).toMatchObject({ arguments: ["/app/main", "skopeo"] });
        }
      },
      60_000,
    );
  },
);

test("plain processes run no images, and Invoke says why", async () => {
  const plain = await startAccessTest({ sandbox: "process" });
  const { settings, endpoint } = plain.platform;
  const registry = new ecrSdk.ECRClient(settings);
  await registry.send(new ecrSdk.CreateRepositoryCommand({ repositoryName: "app" }));
  const { authorizationData } = await registry.send(new ecrSdk.GetAuthorizationTokenCommand({}));
  const token = authorizationData?.[0]?.authorizationToken ?? "";
  const { uri } = await pushImage(endpoint, token, "app", "v1", { layers: [], config: { Entrypoint: ["/main"] } });
  const client = new sdk.LambdaClient(settings);
  const Role = await createFunctionRole(settings, "images");
  await client.send(
    new sdk.CreateFunctionCommand({ FunctionName: "f", Role, PackageType: "Image", Code: { ImageUri: uri } }),
  );
  expect(await refusal(client.send(new sdk.InvokeCommand({ FunctionName: "f" })))).toMatchObject({
    name: "InvalidRuntimeException",
    message: expect.stringContaining("Container images run in sandboxes of Linux namespaces only"),
  });
  await plain.stop();
});
