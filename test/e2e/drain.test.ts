import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, get, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { clientSettings, createFunctionRole, createNodeFunction } from "../../src/testing/functions.ts";
import { startTestServer, type TestServer } from "../../src/testing/server.ts";

const root = join(import.meta.dirname, "../..");

const slowSource = (ms: number) =>
  `export const handler = async (n) => { await new Promise((r) => setTimeout(r, ${ms})); return n; };`;

let server: TestServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

async function startWith(args: readonly string[], source: string) {
  server = await startTestServer(args);
  const settings = clientSettings(server.environment);
  const lambda = new LambdaClient({ ...settings, maxAttempts: 1 });
  const Role = await createFunctionRole(settings, "drains");
  await createNodeFunction(settings, { FunctionName: "f", Role, source });
  return { server, lambda };
}

const ask = (url: string, agent?: Agent) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { agent: agent ?? false }, resolve).once("error", reject);
  });

async function readyOf(endpoint: string): Promise<unknown> {
  return JSON.parse(await text(await ask(`${endpoint}/_cumulet/ready`)));
}

const hasEnded = (pid: number) => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

test("SIGTERM: not ready at once, still answering, then what is under way ends and the process with it", async () => {
  const { server, lambda } = await startWith(["--drain-wait", "1"], slowSource(2_300));
  const { endpoint, pid } = server;
  expect(await readyOf(endpoint)).toEqual({ status: "ready" });
  const underWay = lambda.send(new InvokeCommand({ FunctionName: "f", Payload: "7" }));
  await delay(300);
  const agent = new Agent({ keepAlive: true });
  (await ask(`${endpoint}/_cumulet/health`, agent)).resume();
  process.kill(pid, "SIGTERM");
  await expect.poll(() => readyOf(endpoint)).toEqual({ status: "draining" });
  // Alive, and answering; the connection ends with the answer.
  const answer = await ask(`${endpoint}/_cumulet/health`, agent);
  expect([answer.statusCode, answer.headers.connection]).toEqual([200, "close"]);
  answer.resume();
  const { Payload } = await underWay;
  expect(Buffer.from(Payload ?? []).toString()).toBe("7");
  await expect.poll(() => hasEnded(pid), { timeout: 9_000 }).toBe(true);
}, 60_000);

test("an answer that is being streamed is whole, and an idle connection does not hold the server up", async () => {
  const source = `export const handler = awslambda.streamifyResponse(async (event, stream) => {
    for (let n = 0; n < 15; n += 1) { stream.write(n + ";"); await new Promise((r) => setTimeout(r, 100)); }
    stream.end("end");
  });`;
  const { server, lambda } = await startWith([], source);
  const { CreateFunctionUrlConfigCommand, AddPermissionCommand } = await import("@aws-sdk/client-lambda");
  const { FunctionUrl } = await lambda.send(
    new CreateFunctionUrlConfigCommand({ FunctionName: "f", AuthType: "NONE", InvokeMode: "RESPONSE_STREAM" }),
  );
  for (const [StatementId, Action] of [
    ["url", "lambda:InvokeFunctionUrl"],
    ["invoke", "lambda:InvokeFunction"],
  ] as const) {
    await lambda.send(
      new AddPermissionCommand({
        FunctionName: "f",
        StatementId,
        Action,
        Principal: "*",
        ...(StatementId === "url" ? { FunctionUrlAuthType: "NONE" } : { InvokedViaFunctionUrl: true }),
      }),
    );
  }
  const urlId = /^https?:\/\/([a-z0-9]+)\./.exec(FunctionUrl ?? "")?.[1] ?? "";
  const agent = new Agent({ keepAlive: true });
  const answer = await ask(`${server.endpoint}/_cumulet/url/${urlId}/`, agent);
  const from = performance.now();
  process.kill(server.pid, "SIGTERM");
  expect(await text(answer)).toMatch(/^0;1;.*14;end$/);
  await expect.poll(() => hasEnded(server.pid), { timeout: 9_000 }).toBe(true);
  expect(performance.now() - from).toBeLessThan(6_000);
}, 60_000);

test("an asynchronous invocation that runs ends before the process; one that waits runs after the next start", async () => {
  const { server, lambda } = await startWith([], slowSource(1_500));
  await lambda.send(new InvokeCommand({ FunctionName: "f", InvocationType: "Event", Payload: "1" }));
  await delay(400);
  process.kill(server.pid, "SIGTERM");
  await expect.poll(() => hasEnded(server.pid), { timeout: 9_000 }).toBe(true);
  expect(server.log()).not.toContain("could not be given back");
  // Ended or given back: nothing waits for a lease to run out.
  await server.killAndRestart();
  const { FilterLogEventsCommand, CloudWatchLogsClient } = await import("@aws-sdk/client-cloudwatch-logs");
  const logs = new CloudWatchLogsClient(clientSettings(server.environment));
  const { events = [] } = await logs.send(
    new FilterLogEventsCommand({ logGroupName: "/aws/lambda/f", filterPattern: "REPORT" }),
  );
  expect(events).toHaveLength(1);
}, 60_000);

test("a second signal ends the process at once", async () => {
  const { server, lambda } = await startWith(["--drain-wait", "60"], slowSource(1));
  await lambda.send(new InvokeCommand({ FunctionName: "f", Payload: "1" }));
  process.kill(server.pid, "SIGTERM");
  await expect.poll(() => readyOf(server.endpoint)).toEqual({ status: "draining" });
  process.kill(server.pid, "SIGTERM");
  await expect.poll(() => hasEnded(server.pid), { timeout: 3_000 }).toBe(true);
}, 60_000);

test("an encrypted listener serves AWS clients, and reads its certificate again on SIGHUP", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cumulet-cert-"));
  try {
    const [certFile, keyFile] = [join(folder, "tls.crt"), join(folder, "tls.key")];
    const out = ["-keyout", keyFile, "-out", certFile, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
    execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=x", ...out], {
      stdio: "ignore",
    });
    const { server } = await startWith(["--tls-cert", certFile, "--tls-key", keyFile], slowSource(1));
    const script = `
      const { LambdaClient, InvokeCommand } = await import("@aws-sdk/client-lambda");
      const lambda = new LambdaClient({ endpoint: "https://localhost:${server.port}" });
      const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: "f", Payload: "5" }));
      console.log(Buffer.from(Payload).toString());`;
    const run = (): ChildProcess =>
      spawn(process.execPath, ["--input-type=module", "-e", script], {
        env: { ...process.env, ...server.environment, NODE_EXTRA_CA_CERTS: certFile },
        stdio: ["ignore", "pipe", "inherit"],
      });
    const child = run();
    expect(child.stdout && (await text(child.stdout))).toBe("5\n");
    process.kill(server.pid, "SIGHUP");
    await expect.poll(() => server.log()).toContain("The TLS certificate was read again");
    expect(await readyOf(server.endpoint)).toEqual({ status: "ready" });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);

test("a key that is not that of the certificate is refused before anything is served", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cumulet-cert-"));
  const child = spawn(join(root, "bin/cumulet"), ["start", "--data", folder, "--port", "0", "--tls-cert", "none.crt"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const told = text(child.stderr);
  const [status] = await once(child, "exit");
  expect(status).toBe(64);
  expect(await told).toContain("TLS needs both");
  await rm(folder, { recursive: true, force: true });
});
