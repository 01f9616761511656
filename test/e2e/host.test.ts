import { mkdtemp, rm } from "node:fs/promises";
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { expect, test } from "vitest";
import { clientSettings, createFunctionRole, createNodeFunction } from "../../src/testing/functions.ts";
import { startTestServer } from "../../src/testing/server.ts";

/** Asks the platform by the endpoint that every function is given for its SDK. */
const source = `
export const handler = async () => (await fetch(process.env.AWS_ENDPOINT_URL + "/_cumulet/health")).text();`;

/** A specific address of this machine that is not the one functions use: it stands for any. */
const host = "127.0.0.2";

test.each([
  ["one process", ["--workers", "1"], false],
  ["TLS and workers", ["--workers", "2"], true],
])("on another address than 127.0.0.1 functions reach the platform: %s", async (_, args, encrypted) => {
  const folder = await mkdtemp(join(tmpdir(), "cumulet-host-"));
  const pair = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
  if (encrypted) {
    const subject = ["-subj", "/CN=localhost", "-days", "2", "-keyout", pair.key, "-out", pair.cert];
    await promisify(execFile)("openssl", ["req", "-x509", "-newkey", "ed25519", "-nodes", ...subject]);
  }
  const tls = encrypted ? ["--tls-cert", pair.cert, "--tls-key", pair.key] : [];
  const server = await startTestServer(["--sandbox", "process", "--host", host, ...args, ...tls]);
  try {
    expect(server.log()).toContain(`is ready on ${encrypted ? "https" : "http"}://${host}:${server.port}`);
    const settings = clientSettings(server.environment);
    const elsewhere = await fetch(`http://${host}:${server.port}/_cumulet/health`);
    expect(elsewhere.status).toBe(200);
    const Role = await createFunctionRole(settings, "asks");
    await createNodeFunction(settings, { FunctionName: "asks", Role, source });
    const { Payload } = await new LambdaClient(settings).send(new InvokeCommand({ FunctionName: "asks" }));
    expect(Buffer.from(Payload ?? []).toString()).toContain("alive");
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
