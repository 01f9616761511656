import { APIGatewayClient, GetApiKeysCommand } from "@aws-sdk/client-api-gateway";
import { CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { CognitoIdentityProvider } from "@aws-sdk/client-cognito-identity-provider";
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { S3 } from "@aws-sdk/client-s3";
import { execFile, spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createInterpreters } from "../../src/compute/interpreters.ts";

const examples = join(import.meta.dirname, "../../examples");
const python = await createInterpreters({ executable: process.execPath, version: process.version }, tmpdir()).describe(
  "python3.13",
);

/** `cumulet start examples/NAME`: the addresses that it prints, by route. */
async function start(name: string) {
  const dataDir = await mkdtemp(join(tmpdir(), "cumulet-test-"));
  const program = join(import.meta.dirname, "../../bin/cumulet");
  const child = spawn(program, ["start", join(examples, name), "--data", dataDir, "--port", "0"]);
  const exited = new Promise((resolve) => child.once("exit", resolve));
  let printed = "";
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      printed += chunk.toString("utf8");
      if (printed.includes("Press Ctrl+C to stop.")) resolve();
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("exit", () => reject(new Error(printed)));
  });
  const port = /is ready on http:\/\/127\.0\.0\.1:(\d+)/.exec(printed)?.[1] ?? "";
  return {
    /** Of the first line that begins with the method: below `127.0.0.1`, whatever names resolve here. */
    address(method: string): string {
      const found = new RegExp(`^${method} +((?:http|ws)://\\S+?)/?$`, "m").exec(printed)?.[1] ?? "";
      const named = /^(\w+):\/\/(\w+)\.(execute-api|lambda-url)\.[^/]+(.*)$/.exec(found);
      const kind = named?.[3] === "lambda-url" ? "url" : "api";
      return named === null ? found : `${named[1]}://127.0.0.1:${port}/_cumulet/${kind}/${named[2]}${named[4]}`;
    },
    /** What the official clients are configured with. */
    async settings() {
      const { stdout } = await promisify(execFile)(program, ["env", "--data", dataDir, "--port", port]);
      const variable = (name: string) => new RegExp(`^export ${name}='(.*)'$`, "m").exec(stdout)?.[1] ?? "";
      return {
        endpoint: `http://127.0.0.1:${port}`,
        region: variable("AWS_REGION"),
        credentials: { accessKeyId: variable("AWS_ACCESS_KEY_ID"), secretAccessKey: variable("AWS_SECRET_ACCESS_KEY") },
      };
    },
    /** What `cumulet outbox` prints of messages to one address. */
    async outbox(to: string) {
      return (await promisify(execFile)(program, ["outbox", to, "--data", dataDir, "--port", port])).stdout;
    },
    async stop() {
      child.kill("SIGTERM");
      await exited;
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

type Started = Awaited<ReturnType<typeof start>>;

function run(name: string): () => Started {
  let started: Started | undefined;
  beforeAll(async () => {
    started = await start(name);
  });
  afterAll(() => started?.stop());
  return () => {
    if (started === undefined) throw new Error(`${name} has not started`);
    return started;
  };
}

test("each example is started here", async () => {
  expect((await readdir(examples)).toSorted()).toEqual(["hello", "notes", "picture", "shop", "streaming"]);
});

describe("examples/hello", () => {
  const app = run("hello");

  test("greets", async () => {
    const answer = await fetch(app().address("GET"));
    expect(await answer.json()).toEqual({ message: expect.stringMatching(/^Hello, .*!$/) });
  });
});

describe("examples/notes", () => {
  const app = run("notes");

  test("keeps each person's notes, makes notes of files, and counts them", async () => {
    const settings = await app().settings();
    const { Stacks } = await new CloudFormationClient(settings).send(new DescribeStacksCommand({ StackName: "notes" }));
    const output = (name: string) => Stacks?.[0]?.Outputs?.find((each) => each.OutputKey === name)?.OutputValue ?? "";
    const pool = new CognitoIdentityProvider(settings);
    const person = { ClientId: output("ClientId"), Username: "ada@example.com" };
    const Password = "Analytical-Engine-1843";
    const { UserSub = "" } = await pool.signUp({ ...person, Password });
    const AuthFlow = "USER_PASSWORD_AUTH";
    const AuthParameters = { USERNAME: person.Username, PASSWORD: Password };
    const signIn = () => pool.initiateAuth({ ClientId: person.ClientId, AuthFlow, AuthParameters });
    await expect(signIn()).rejects.toMatchObject({ name: "UserNotConfirmedException" });
    const [, ConfirmationCode = ""] = / (\d{6})\b/.exec(await app().outbox(person.Username)) ?? [];
    await pool.confirmSignUp({ ...person, ConfirmationCode });
    const { AuthenticationResult } = await signIn();

    const notes = app().address("GET");
    const headers = { authorization: `Bearer ${AuthenticationResult?.IdToken}` };
    const write = (text: unknown) => fetch(notes, { method: "POST", headers, body: JSON.stringify({ text }) });
    expect((await fetch(notes)).status).toBe(401);
    expect((await fetch(notes, { headers: { authorization: "Bearer e30.e30.e30" } })).status).toBe(401);
    expect((await write("")).status).toBe(400);
    const note: unknown = await (await write("Bernoulli numbers")).json();
    const list = async (): Promise<unknown> => (await fetch(notes, { headers })).json();
    expect(await list()).toEqual([note]);

    const s3 = new S3({ ...settings, forcePathStyle: true });
    await s3.putObject({ Bucket: output("FilesBucket"), Key: `${UserSub}/my plan.txt`, Body: "weave" });
    await vi.waitFor(
      async () =>
        expect(await list()).toContainEqual({ id: `${UserSub}/my plan.txt`, text: "A file: my plan.txt (5 bytes)" }),
      { timeout: 15_000, interval: 100 },
    );
    const { id } = note as { readonly id: string };
    expect((await fetch(`${notes}/${id}`, { method: "DELETE", headers })).status).toBe(204);
    expect(await list()).toHaveLength(1);

    const dynamodb = new DynamoDB(settings);
    await vi.waitFor(
      async () => {
        const { Item } = await dynamodb.getItem({ TableName: output("TotalsTable"), Key: { owner: { S: UserSub } } });
        expect(Item?.["notes"]).toEqual({ N: "1" });
      },
      { timeout: 15_000, interval: 100 },
    );
  });
});

describe("examples/streaming", () => {
  const app = run("streaming");

  test("tells its story by and by", async () => {
    const url = app().address("URL");
    expect(await (await fetch(`${url}/`)).text()).toContain('fetch("story")');
    const answer = await fetch(`${url}/story?pause=60`);
    const chunks: string[] = [];
    for await (const chunk of answer.body ?? []) chunks.push(Buffer.from(chunk).toString());
    expect(chunks.length).toBeGreaterThan(5);
    expect(chunks.join("")).toMatch(/^Once upon a time .* at once\. $/);
    expect((await fetch(`${url}/nowhere`)).status).toBe(404);
  });
});

describe("examples/shop", () => {
  const app = run("shop");
  const shop = () =>
    app()
      .address("GET")
      .replace(/\/v1\/.*$/, "/v1");
  const order = async (key: string, body: object) => {
    const headers = { "content-type": "application/json", "x-api-key": key };
    const answer = await fetch(`${shop()}/orders`, { method: "POST", headers, body: JSON.stringify(body) });
    return { status: answer.status, body: (await answer.json()) as unknown };
  };

  test("takes orders that fit its model from those who have a key", async () => {
    expect(await (await fetch(`${shop()}/articles`)).json()).toContainEqual({ article: "tea", price: 4 });
    const client = new APIGatewayClient(await app().settings());
    const { items = [] } = await client.send(new GetApiKeysCommand({ includeValues: true }));
    const key = items[0]?.value ?? "";
    expect(await order("none", { article: "tea", amount: 1 })).toEqual({ status: 403, body: { message: "Forbidden" } });
    expect(await order(key, { article: "tea", amount: 11 })).toEqual({
      status: 400,
      body: { message: "Invalid request body", problems: expect.stringContaining("maximum: 10, found: 11") },
    });
    expect(await order(key, { article: "tea", amount: 2 })).toEqual({
      status: 201,
      body: { article: "tea", amount: 2, total: 8, customer: items[0]?.id },
    });
  });

  const ask = async (authorization: string) => {
    const answer = await fetch(`${shop()}/sales`, { headers: { authorization } });
    return [answer.status, await answer.json()];
  };

  test("shows its sales to clerks", async () => {
    expect(await ask("Bearer ann")).toEqual([200, { clerk: "ann" }]);
    expect(await ask("Bearer eve")).toEqual([401, { message: "Unauthorized" }]);
  });

  test("answers its bell", async () => {
    const socket = new WebSocket(app().address("SOCKET"));
    const heard = new Promise((resolve, reject) => {
      socket.addEventListener("open", () => socket.send(JSON.stringify({ action: "ring", text: "hello" })));
      socket.addEventListener("message", ({ data }) => resolve(JSON.parse(String(data))));
      socket.addEventListener("error", () => reject(new Error("The bell cannot be reached")));
    });
    expect(await heard).toEqual({ connection: expect.any(String), heard: "hello" });
    socket.close();
  });
});

describe.skipIf(python.state === "missing")("examples/picture", () => {
  const app = run("picture");

  test("draws", async () => {
    const home = app()
      .address("GET")
      .replace(/\/(\{.*)?$/, "");
    expect(await (await fetch(`${home}/`)).text()).toContain("picture.png?x=-0.6");
    const picture = await fetch(`${home}/picture.png?zoom=2`);
    expect([picture.status, picture.headers.get("content-type")]).toEqual([200, "image/png"]);
    expect((await picture.bytes()).subarray(0, 4)).toEqual(new Uint8Array([0x89, 0x50, 0x4e, 0x47]));
    expect((await fetch(`${home}/picture.png?zoom=no`)).status).toBe(400);
  });
});
