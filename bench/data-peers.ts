import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort, startProcess, type Started } from "./process.ts";
import type { SignedTarget } from "./signed-load.ts";

/** A peer that keeps data in a folder. */
export type DataPeer = SignedTarget & Pick<Started, "stop">;

const peers = "bench/peers";
const javaFolder = `${peers}/dynamodb-local/target/jars`;

/** LevelDB on disk, not synced. */
export async function startDynalite(folder: string): Promise<DataPeer> {
  const port = await freePort();
  const args = [
    `${peers}/node_modules/dynalite/cli.js`,
    "--port",
    String(port),
    "--path",
    folder,
    "--createTableMs",
    "0",
  ];
  const started = startProcess(process.execPath, args, { quiet: true });
  await untilListens(port);
  return { ...started, port, credentials: { accessKeyId: "a", secretAccessKey: "b" } };
}

/** AWS's own, in Java, on SQLite in a file. It takes any signature. Maven brings it, where there are both. */
export async function startDynamoDbLocal(folder: string): Promise<DataPeer> {
  if (!existsSync(javaFolder)) {
    const args = ["-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=target/jars"];
    execFileSync("mvn", args, { cwd: `${peers}/dynamodb-local`, stdio: "inherit" });
  }
  const port = await freePort();
  const program = "com.amazonaws.services.dynamodbv2.local.main.ServerRunner";
  const options = ["-dbPath", folder, "-port", String(port), "-sharedDb", "-disableTelemetry"];
  const args = [`-Djava.library.path=${javaFolder}`, "-cp", `${javaFolder}/*`, program, ...options];
  const started = startProcess("java", args, { quiet: true });
  await untilListens(port);
  return { ...started, port, credentials: { accessKeyId: "local", secretAccessKey: "local" } };
}

/** Files, not synced. It checks signatures. */
export async function startS3rver(folder: string): Promise<DataPeer> {
  const port = await freePort();
  const program = `${peers}/node_modules/s3rver/bin/s3rver.js`;
  const args = [
    program,
    "-d",
    join(folder, "s3"),
    "-a",
    "127.0.0.1",
    "-p",
    String(port),
    "--silent",
    "--no-vhost-buckets",
  ];
  const started = startProcess(process.execPath, args, { quiet: true });
  await untilListens(port);
  return { ...started, port, credentials: { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" } };
}

/** `node:http` that pipes bodies into files and files into answers, and nothing else: not synced. */
export async function startPlainFiles(folder: string): Promise<DataPeer> {
  const port = await freePort();
  const started = startProcess(process.execPath, [`${peers}/plain-files.mjs`, String(port), folder], {});
  await untilListens(port);
  return { ...started, port, credentials: { accessKeyId: "a", secretAccessKey: "b" } };
}

async function untilListens(port: number): Promise<void> {
  const until = Date.now() + 60_000;
  while (Date.now() < until) {
    // Whatever it answers.
    const answered = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
    if (answered) return;
    await delay(50);
  }
  throw new Error(`Nothing answers on port ${port} after a minute`);
}
