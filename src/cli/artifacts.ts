import { createHash } from "node:crypto";
import { readFile, readdir, stat } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { zipSync, type Zippable } from "fflate";
import type { S3Client } from "@aws-sdk/client-s3";
import { CommandError } from "./command.ts";
import type { Connection } from "./connection.ts";
import type { Progress } from "./progress.ts";
import { parseTemplate } from "../services/cloudformation/template/parse.ts";

/** A property that may name a local file or folder, and the form it takes once that is in S3. */
interface ArtifactProperty {
  readonly property: string;
  /** Whether AWS takes a zip of it, or the file as it is. */
  readonly content: "zip" | "file";
  toReference(bucket: string, key: string): unknown;
}

const uri = (bucket: string, key: string) => `s3://${bucket}/${key}`;
const pair = (bucketName: string, keyName: string) => (bucket: string, key: string) => ({
  [bucketName]: bucket,
  [keyName]: key,
});

/** The same properties that `aws cloudformation package` looks at, among the types that Cumulet deploys. */
const artifactProperties: Readonly<Record<string, ArtifactProperty>> = {
  "AWS::Serverless::Function": { property: "CodeUri", content: "zip", toReference: uri },
  "AWS::Serverless::LayerVersion": { property: "ContentUri", content: "zip", toReference: uri },
  "AWS::Serverless::Api": { property: "DefinitionUri", content: "file", toReference: uri },
  "AWS::Serverless::HttpApi": { property: "DefinitionUri", content: "file", toReference: uri },
  "AWS::Lambda::Function": { property: "Code", content: "zip", toReference: pair("S3Bucket", "S3Key") },
  "AWS::Lambda::LayerVersion": { property: "Content", content: "zip", toReference: pair("S3Bucket", "S3Key") },
  "AWS::ApiGateway::RestApi": { property: "BodyS3Location", content: "file", toReference: pair("Bucket", "Key") },
  "AWS::ApiGatewayV2::Api": { property: "BodyS3Location", content: "file", toReference: pair("Bucket", "Key") },
};

const templateNames = [".aws-sam/build/template.yaml", "template.yaml", "template.yml", "template.json"];

/** Uploads the local code that the template names; the template, as JSON, with references to what was uploaded. */
export async function packageTemplate(from: string, connection: Connection, progress: Progress): Promise<string> {
  const path = await findTemplate(from);
  // A copy of our own: paths are replaced in it.
  const template: unknown = structuredClone(parseTemplate(await readFile(path, "utf8")));
  if (!isObject(template)) throw new CommandError(`${path} is not a template`);
  const upload = createUploader(connection, progress);
  const resources = isObject(template["Resources"]) ? template["Resources"] : {};
  const globals =
    isObject(template["Globals"]) && isObject(template["Globals"]["Function"]) ? template["Globals"]["Function"] : {};
  if (typeof globals["CodeUri"] === "string" && !globals["CodeUri"].startsWith("s3://")) {
    globals["CodeUri"] = await upload(resolve(dirname(path), globals["CodeUri"]), "zip", uri);
  }
  for (const resource of Object.values(resources)) {
    if (!isObject(resource) || typeof resource["Type"] !== "string") continue;
    const artifact = artifactProperties[resource["Type"]];
    const properties = isObject(resource["Properties"]) ? resource["Properties"] : undefined;
    const value = artifact === undefined ? undefined : properties?.[artifact.property];
    if (!artifact || !properties || typeof value !== "string" || /^(s3|https?):\/\//.test(value)) continue;
    properties[artifact.property] = await upload(resolve(dirname(path), value), artifact.content, artifact.toReference);
  }
  return JSON.stringify(template);
}

/** The template of an app folder, or the file itself. Throws `CommandError` where there is none. */
export async function findTemplate(from: string): Promise<string> {
  const found = await stat(from).catch(() => undefined);
  if (found?.isFile()) return from;
  for (const name of templateNames) {
    const path = join(from, name);
    if (await stat(path).catch(() => undefined)) return path;
  }
  throw new CommandError(`There is no template.yaml, template.yml or template.json in ${from}`);
}

type Upload = (path: string, content: "zip" | "file", toReference: ArtifactProperty["toReference"]) => Promise<unknown>;

function createUploader(connection: Connection, progress: Progress): Upload {
  let target: Promise<{ client: S3Client; bucket: string }> | undefined;
  return async (path, content, toReference) => {
    progress.step(`Packing ${relative(process.cwd(), path) || "."} …`);
    const body = content === "zip" ? await pack(path) : await readFile(path);
    target ??= openBucket(connection);
    const { client, bucket } = await target;
    const key = createHash("sha256").update(body).digest("hex");
    const { PutObjectCommand } = await import("@aws-sdk/client-s3");
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
    return toReference(bucket, key);
  };
}

async function openBucket(connection: Connection): Promise<{ client: S3Client; bucket: string }> {
  const sdk = await import("@aws-sdk/client-s3");
  const client = new sdk.S3Client({ ...connection, forcePathStyle: true });
  const bucket = `cumulet-artifacts-${connection.region}`;
  await client.send(new sdk.HeadBucketCommand({ Bucket: bucket })).catch(async () => {
    const elsewhere =
      connection.region === "us-east-1"
        ? {}
        : { CreateBucketConfiguration: { LocationConstraint: connection.region as never } };
    await client.send(new sdk.CreateBucketCommand({ Bucket: bucket, ...elsewhere }));
  });
  return { client, bucket };
}

// The earliest time that a zip entry can carry: the same content always packs to the same bytes.
const zipEpoch = new Date(1980, 0, 1);

async function pack(path: string): Promise<Uint8Array> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new CommandError(`The template names ${path}, which does not exist`);
  if (found.isFile() && /\.(zip|jar)$/.test(path)) return readFile(path);
  const files: Zippable = {};
  if (found.isFile()) {
    files[path.slice(dirname(path).length + 1)] = [await readFile(path), { attrs: unixMode(found.mode), os: 3 }];
  } else {
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    const names = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
    for (const name of names.toSorted()) {
      const { mode } = await stat(name);
      files[relative(path, name)] = [await readFile(name), { attrs: unixMode(mode), os: 3 }];
    }
  }
  return zipSync(files, { level: 6, mtime: zipEpoch });
}

const unixMode = (mode: number) => (mode & 0xffff) << 16;

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
