import { request } from "node:http";
import { CloudFormation } from "@aws-sdk/client-cloudformation";
import type { S3 } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";
import { refusalOf, s3Client } from "../../../testing/s3.ts";

let platform: TestPlatform;
let s3: S3;
let cloudformation: CloudFormation;

beforeAll(async () => {
  platform = await startTestPlatform();
  s3 = s3Client(platform);
  cloudformation = new CloudFormation(platform.settings);
});
afterAll(() => platform.stop());

async function deploy(StackName: string, template: object, update = false) {
  const asked = {
    StackName,
    TemplateBody: JSON.stringify(template),
    Capabilities: ["CAPABILITY_AUTO_EXPAND" as const],
  };
  await (update ? cloudformation.updateStack(asked) : cloudformation.createStack(asked));
  for (;;) {
    await platform.platform.jobs.drain();
    const [stack] = (await cloudformation.describeStacks({ StackName })).Stacks ?? [];
    if (stack && !stack.StackStatus?.endsWith("IN_PROGRESS")) {
      const outputs = new Map((stack.Outputs ?? []).map((each) => [each.OutputKey, each.OutputValue ?? ""]));
      return { status: stack.StackStatus, outputs };
    }
  }
}

/** As a browser: names below `localhost` are this machine. */
function visit(
  url: string,
): Promise<{ readonly status: number | undefined; readonly body: string; location?: string }> {
  const { host, pathname, search, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path: pathname + search, headers: { host, accept: "text/html" } };
    request(options, (answer) => {
      let body = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => (body += chunk));
      answer.on("end", () => {
        const { location } = answer.headers;
        resolve({ status: answer.statusCode, body, ...(location !== undefined && { location }) });
      });
    })
      .on("error", reject)
      .end();
  });
}

/** A static site as templates of the AWS SAM and CloudFormation guides have it. */
const site = (WebsiteConfiguration: object | undefined) => ({
  Transform: "AWS::Serverless-2016-10-31",
  Resources: {
    Site: {
      Type: "AWS::S3::Bucket",
      Properties: {
        PublicAccessBlockConfiguration: { BlockPublicPolicy: false, RestrictPublicBuckets: false },
        OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
        ...(WebsiteConfiguration && { WebsiteConfiguration }),
      },
    },
    Open: {
      Type: "AWS::S3::BucketPolicy",
      Properties: {
        Bucket: { Ref: "Site" },
        PolicyDocument: {
          Version: "2012-10-17",
          Statement: [
            { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: { "Fn::Sub": "${Site.Arn}/*" } },
          ],
        },
      },
    },
  },
  Outputs: { Name: { Value: { Ref: "Site" } }, Url: { Value: { "Fn::GetAtt": ["Site", "WebsiteURL"] } } },
});

test("A template's static site is there for browsers, changes, and goes", async () => {
  const { status, outputs } = await deploy(
    "site",
    site({
      IndexDocument: "index.html",
      ErrorDocument: "404.html",
      RoutingRules: [
        {
          RoutingRuleCondition: { KeyPrefixEquals: "old/" },
          RedirectRule: { ReplaceKeyPrefixWith: "new/", HttpRedirectCode: "302" },
        },
      ],
    }),
  );
  expect(status).toBe("CREATE_COMPLETE");
  const Bucket = outputs.get("Name") ?? "";
  const url = outputs.get("Url") ?? "";
  expect(url).toBe(`http://${Bucket}.s3-website-us-east-1.localhost:${platform.port}`);
  await s3.putObject({ Bucket, Key: "index.html", Body: "<h1>home</h1>", ContentType: "text/html" });
  await s3.putObject({ Bucket, Key: "404.html", Body: "<h1>nothing here</h1>", ContentType: "text/html" });
  expect(await visit(`${url}/`)).toEqual({ status: 200, body: "<h1>home</h1>" });
  expect(await visit(`${url}/nowhere`)).toEqual({ status: 403, body: "<h1>nothing here</h1>" });
  expect(await visit(`${url}/old/page`)).toMatchObject({ status: 302, location: `${url}/new/page` });

  await deploy("site", site({ RedirectAllRequestsTo: { HostName: "example.com", Protocol: "https" } }), true);
  expect(await visit(`${url}/a`)).toMatchObject({ status: 301, location: "https://example.com/a" });
  await deploy("site", site(undefined), true);
  expect(await visit(`${url}/`)).toMatchObject({ status: 404 });
  expect(await refusalOf(s3.getBucketWebsite({ Bucket }))).toMatch(/^404 NoSuchWebsiteConfiguration/);
});

const bucketOf = (Properties: object) => ({ Resources: { B: { Type: "AWS::S3::Bucket", Properties } } });

const vault = (Days: number) => ({
  BucketName: "vault",
  ObjectLockEnabled: true,
  ObjectLockConfiguration: {
    ObjectLockEnabled: "Enabled",
    Rule: { DefaultRetention: { Mode: "GOVERNANCE", Days } },
  },
});

describe("a template's bucket", () => {
  test("has the ownership and the access control list that it says", async () => {
    const open = {
      BlockPublicAcls: false,
      IgnorePublicAcls: false,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
    };
    const properties = {
      BucketName: "listed-by-all",
      OwnershipControls: { Rules: [{ ObjectOwnership: "ObjectWriter" }] },
      PublicAccessBlockConfiguration: open,
    };
    const first = await deploy("lists", bucketOf({ ...properties, AccessControl: "PublicRead" }));
    expect(first.status).toBe("CREATE_COMPLETE");
    expect((await fetch(`${platform.endpoint}/listed-by-all`)).status).toBe(200);
    expect((await deploy("lists", bucketOf(properties), true)).status).toBe("UPDATE_COMPLETE");
    expect((await fetch(`${platform.endpoint}/listed-by-all`)).status).toBe(403);
    const blocked = await deploy("blocked", bucketOf({ BucketName: "blocked", AccessControl: "PublicRead" }));
    expect(blocked.status).toBe("ROLLBACK_COMPLETE");
  });

  test("has the Object Lock that it says", async () => {
    expect((await deploy("vault", bucketOf(vault(5)))).status).toBe("CREATE_COMPLETE");
    const ruleOf = async () => {
      const { ObjectLockConfiguration } = await s3.getObjectLockConfiguration({ Bucket: "vault" });
      return ObjectLockConfiguration?.Rule;
    };
    expect(await ruleOf()).toEqual({ DefaultRetention: { Mode: "GOVERNANCE", Days: 5 } });
    expect((await s3.getBucketVersioning({ Bucket: "vault" })).Status).toBe("Enabled");
    await deploy("vault", bucketOf(vault(9)), true);
    expect(await ruleOf()).toEqual({ DefaultRetention: { Mode: "GOVERNANCE", Days: 9 } });
    await deploy("vault", bucketOf({ BucketName: "vault", ObjectLockEnabled: true }), true);
    expect(await ruleOf()).toBeUndefined();
  });
});
