import { createHash, randomBytes } from "node:crypto";
import { ECRClient, GetAuthorizationTokenCommand, CreateRepositoryCommand } from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { policy, startAccessTest, statement, type AccessTest } from "../../testing/access.ts";

let access: AccessTest;
let ecr: ECRClient;
let login: string;

const manifestType = "application/vnd.oci.image.manifest.v1+json";

beforeAll(async () => {
  access = await startAccessTest();
  ecr = new ECRClient(access.platform.settings);
  for (const repositoryName of ["app", "team/base"]) await ecr.send(new CreateRepositoryCommand({ repositoryName }));
  login = await logIn(ecr);
});
afterAll(() => access.stop());

async function logIn(client: ECRClient): Promise<string> {
  const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}));
  return authorizationData?.[0]?.authorizationToken ?? "";
}

function http(method: string, path: string, more: { body?: Uint8Array | string; as?: string; headers?: object } = {}) {
  const as = more.as ?? login;
  const { body } = more;
  return fetch(new URL(path, access.platform.endpoint), {
    method,
    headers: { ...(as === "" ? {} : { authorization: `Basic ${as}` }), ...more.headers },
    ...(body !== undefined && { body: typeof body === "string" ? body : new Uint8Array(body) }),
  });
}

const digestOf = (content: Uint8Array | string) => `sha256:${createHash("sha256").update(content).digest("hex")}`;

async function errorOf(response: Response) {
  const { errors } = (await response.json()) as { errors: { code: string; message: string }[] };
  return { status: response.status, code: errors[0]?.code, message: errors[0]?.message };
}

async function startUpload(repository: string, as = login): Promise<string> {
  const started = await http("POST", `/v2/${repository}/blobs/uploads/`, { as });
  expect(started.status).toBe(202);
  return started.headers.get("location") ?? "";
}

async function pushBlob(repository: string, content: Uint8Array): Promise<string> {
  const digest = digestOf(content);
  const done = await http("PUT", `${await startUpload(repository)}?digest=${digest}`, { body: content });
  expect(done.status).toBe(201);
  return digest;
}

async function pushImage(repository: string, tag: string, content = randomBytes(100)): Promise<string> {
  const config = Buffer.from("{}");
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: await pushBlob(repository, config),
      size: 2,
    },
    layers: [
      {
        mediaType: "application/vnd.oci.image.layer.v1.tar",
        digest: await pushBlob(repository, content),
        size: content.length,
      },
    ],
  });
  const put = await http("PUT", `/v2/${repository}/manifests/${tag}`, {
    body: manifest,
    headers: { "content-type": manifestType },
  });
  expect(put.status).toBe(201);
  return put.headers.get("docker-content-digest") ?? "";
}

describe("who may", () => {
  test("without a password, the registry asks for one as AWS's does", async () => {
    const refused = await http("GET", "/v2/", { as: "" });
    expect(refused.headers.get("www-authenticate")).toMatch(/^Basic realm="http:.*",service="ecr.amazonaws.com"$/);
    expect(refused.headers.get("docker-distribution-api-version")).toBe("registry/2.0");
    expect(await errorOf(refused)).toEqual({ status: 401, code: "UNAUTHORIZED", message: "Not Authorized" });
  });

  test.each(["", "AWS", "AWS:", "AWS:wrong", "root:wrong", `AWS:${"A".repeat(200)}`])(
    "the password %j is refused",
    async (text) => {
      expect((await http("GET", "/v2/", { as: Buffer.from(text).toString("base64") })).status).toBe(401);
    },
  );

  test("a password with one changed bit is refused", async () => {
    const bytes = Buffer.from(Buffer.from(login, "base64").toString().slice("AWS:".length), "base64url");
    bytes[40] = (bytes[40] ?? 0) ^ 1;
    const as = Buffer.from(`AWS:${bytes.toString("base64url")}`).toString("base64");
    expect((await http("GET", "/v2/", { as })).status).toBe(401);
  });

  test("a user pulls and pushes only what policies allow", async () => {
    await pushImage("app", "allowed");
    const arn = "arn:aws:ecr:us-east-1:000000000000:repository/app";
    const keys = await access.createUser(
      "puller",
      policy(statement("ecr:GetAuthorizationToken"), statement("ecr:BatchGetImage", arn)),
    );
    const as = await logIn(new ECRClient({ ...access.platform.settings, credentials: keys }));
    expect((await http("GET", "/v2/app/manifests/allowed", { as })).status).toBe(200);
    const push = await http("POST", "/v2/app/blobs/uploads/", { as });
    const { status, code, message } = await errorOf(push);
    expect({ status, code }).toEqual({ status: 403, code: "DENIED" });
    expect(message).toContain("is not authorized to perform: ecr:InitiateLayerUpload on resource: " + arn);
    expect((await http("GET", "/v2/team/base/manifests/allowed", { as })).status).toBe(403);
  });
});

describe("blobs", () => {
  test("a layer comes in chunks, is resumed where it stopped, and is pulled whole and in part", async () => {
    const content = randomBytes(200_000);
    const upload = await startUpload("app");
    const first = await http("PATCH", upload, {
      body: content.subarray(0, 150_000),
      headers: { "content-range": "0-149999" },
    });
    expect([first.status, first.headers.get("range")]).toEqual([202, "0-149999"]);
    const state = await http("GET", upload);
    expect([state.status, state.headers.get("range")]).toEqual([204, "0-149999"]);
    const wrong = await http("PATCH", upload, { body: content.subarray(0, 10), headers: { "content-range": "0-9" } });
    expect([wrong.status, wrong.headers.get("range")]).toEqual([416, "0-149999"]);
    const digest = digestOf(content);
    expect((await http("PUT", `${upload}?digest=${digest}`, { body: content.subarray(150_000) })).status).toBe(201);
    expect((await http("GET", upload)).status).toBe(404);

    const head = await http("HEAD", `/v2/app/blobs/${digest}`);
    expect([head.status, head.headers.get("content-length")]).toEqual([200, "200000"]);
    const whole = await http("GET", `/v2/app/blobs/${digest}`);
    expect(Buffer.from(await whole.arrayBuffer()).equals(content)).toBe(true);
    const part = await http("GET", `/v2/app/blobs/${digest}`, { headers: { range: "bytes=10-19" } });
    expect([part.status, part.headers.get("content-range")]).toEqual([206, "bytes 10-19/200000"]);
    expect(Buffer.from(await part.arrayBuffer()).equals(content.subarray(10, 20))).toBe(true);
    expect((await http("GET", `/v2/app/blobs/${digest}`, { headers: { range: "bytes=300000-" } })).status).toBe(416);
  });

  test("content that is not what its digest says is refused", async () => {
    const upload = await startUpload("app");
    const refused = await http("PUT", `${upload}?digest=${digestOf("other")}`, { body: "this" });
    expect(await errorOf(refused)).toMatchObject({ status: 400, code: "DIGEST_INVALID" });
    const malformed = await http("PUT", `${upload}?digest=md5:1`);
    expect(await errorOf(malformed)).toMatchObject({ status: 400, code: "DIGEST_INVALID" });
  });

  test("a layer comes in one request", async () => {
    const digest = digestOf("monolith");
    const pushed = await http("POST", `/v2/app/blobs/uploads/?digest=${digest}`, { body: "monolith" });
    expect([pushed.status, pushed.headers.get("location")]).toEqual([201, `/v2/app/blobs/${digest}`]);
  });

  test("a layer of another repository is mounted; one that is not there is asked for", async () => {
    const digest = await pushBlob("team/base", Buffer.from("shared"));
    const mounted = await http("POST", `/v2/app/blobs/uploads/?mount=${digest}&from=team/base`);
    expect(mounted.status).toBe(201);
    expect(await (await http("GET", `/v2/app/blobs/${digest}`)).text()).toBe("shared");
    const absent = await http("POST", `/v2/app/blobs/uploads/?mount=${digestOf("absent")}&from=team/base`);
    expect(absent.status).toBe(202);
  });

  test("an upload is cancelled, and unknown repositories, uploads and layers are told", async () => {
    const upload = await startUpload("app");
    expect((await http("DELETE", upload)).status).toBe(204);
    expect(await errorOf(await http("PATCH", upload, { body: "x" }))).toMatchObject({ code: "BLOB_UPLOAD_UNKNOWN" });
    expect(await errorOf(await http("POST", "/v2/nothing/blobs/uploads/"))).toEqual({
      status: 404,
      code: "NAME_UNKNOWN",
      message: "The repository with name 'nothing' does not exist in the registry with id '000000000000'",
    });
    const blob = await http("GET", `/v2/app/blobs/${digestOf("absent")}`);
    expect(await errorOf(blob)).toMatchObject({ status: 404, code: "BLOB_UNKNOWN" });
    expect((await http("DELETE", `/v2/app/blobs/${digestOf("absent")}`)).status).toBe(405);
  });
});

describe("manifests", () => {
  test("an image is pulled by tag and by digest, as it was pushed", async () => {
    const digest = await pushImage("team/base", "v1");
    for (const reference of ["v1", digest]) {
      const pulled = await http("GET", `/v2/team/base/manifests/${reference}`);
      expect(pulled.headers.get("content-type")).toBe(manifestType);
      expect(digestOf(await pulled.text())).toBe(digest);
      const head = await http("HEAD", `/v2/team/base/manifests/${reference}`);
      expect([head.status, head.headers.get("docker-content-digest")]).toEqual([200, digest]);
    }
  });

  test("a manifest whose layers are not there is refused", async () => {
    const descriptor = { mediaType: "x", digest: digestOf("nowhere"), size: 1 };
    const body = JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config: descriptor, layers: [] });
    const refused = await http("PUT", "/v2/app/manifests/bad", { body, headers: { "content-type": manifestType } });
    expect(await errorOf(refused)).toMatchObject({ status: 400, code: "MANIFEST_BLOB_UNKNOWN" });
  });

  test.each(["", "{", "[]", '{"schemaVersion":1}', '{"schemaVersion":2}'])("%j is no manifest", async (body) => {
    const refused = await http("PUT", "/v2/app/manifests/bad", { body, headers: { "content-type": manifestType } });
    expect(await errorOf(refused)).toMatchObject({ status: 400, code: "MANIFEST_INVALID" });
  });

  test("tags are listed in order, in pages", async () => {
    await ecr.send(new CreateRepositoryCommand({ repositoryName: "tags" }));
    const content = randomBytes(10);
    for (const tag of ["c", "a", "b"]) await pushImage("tags", tag, content);
    const first = await http("GET", "/v2/tags/tags/list?n=2");
    expect(await first.json()).toEqual({ name: "tags", tags: ["a", "b"] });
    expect(first.headers.get("link")).toBe('</v2/tags/tags/list?n=2&last=b>; rel="next"');
    const second = await http("GET", "/v2/tags/tags/list?n=2&last=b");
    expect(await second.json()).toEqual({ name: "tags", tags: ["c"] });
    expect(second.headers.get("link")).toBeNull();
    expect(await errorOf(await http("GET", "/v2/tags/tags/list?n=x"))).toMatchObject({
      code: "PAGINATION_NUMBER_INVALID",
    });
  });

  test("a tag of an immutable repository is not moved", async () => {
    await ecr.send(new CreateRepositoryCommand({ repositoryName: "fixed", imageTagMutability: "IMMUTABLE" }));
    const content = randomBytes(10);
    await pushImage("fixed", "v1", content);
    await pushImage("fixed", "v1", content);
    const digest = await pushImage("fixed", "v2");
    const manifest = await (await http("GET", `/v2/fixed/manifests/${digest}`)).text();
    const moved = await http("PUT", "/v2/fixed/manifests/v1", {
      body: manifest,
      headers: { "content-type": manifestType },
    });
    expect(await errorOf(moved)).toEqual({
      status: 400,
      code: "TAG_INVALID",
      message:
        "The image tag 'v1' already exists in the 'fixed' repository and cannot be overwritten because the tag is immutable.",
    });
  });

  test("an image is deleted, and its layers with it", async () => {
    const content = randomBytes(30);
    const digest = await pushImage("app", "gone", content);
    expect((await http("DELETE", `/v2/app/manifests/${digest}`)).status).toBe(202);
    expect(await errorOf(await http("GET", "/v2/app/manifests/gone"))).toMatchObject({ code: "MANIFEST_UNKNOWN" });
    expect((await http("HEAD", `/v2/app/blobs/${digestOf(content)}`)).status).toBe(404);
  });

  test("what was pushed about an image is listed", async () => {
    const subject = await pushImage("app", "subject");
    const config = await pushBlob("app", Buffer.from("{}"));
    const body = JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      artifactType: "application/example",
      config: { mediaType: "application/vnd.oci.empty.v1+json", digest: config, size: 2 },
      layers: [],
      subject: { mediaType: manifestType, digest: subject, size: 1 },
    });
    const put = await http("PUT", `/v2/app/manifests/${digestOf(body)}`, {
      body,
      headers: { "content-type": manifestType },
    });
    expect([put.status, put.headers.get("oci-subject")]).toEqual([201, subject]);
    const referrers = await http("GET", `/v2/app/referrers/${subject}?artifactType=application/example`);
    expect(await referrers.json()).toMatchObject({
      manifests: [{ digest: digestOf(body), artifactType: "application/example" }],
    });
  });
});

test("by host, the registry is that of the account and region it names", async () => {
  const { port } = access.platform;
  const status = await new Promise<number | undefined>((resolve, reject) => {
    void import("node:http").then(({ request }) =>
      request(
        {
          port,
          host: "127.0.0.1",
          path: "/v2/app/tags/list",
          headers: { host: `000000000000.dkr.ecr.eu-west-1.localhost:${port}`, authorization: `Basic ${login}` },
        },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      )
        .on("error", reject)
        .end(),
    );
  });
  expect(status).toBe(404);
});
