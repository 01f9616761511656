import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { LambdaClient, UpdateFunctionCodeCommand } from "@aws-sdk/client-lambda";
import { zipOf } from "../src/testing/functions.ts";
import { startPostgres } from "../src/testing/postgres.ts";
import { freePort, startProcess, untilAnswers, type Started } from "./process.ts";
import { compareScaling, deployApp, scalingRows, type Scaling } from "./scaling.ts";
import { median } from "./statistics.ts";
import { printTable, type Row } from "./table.ts";

const deploys = 10;
const restMs = 300;
const untilMs = 30_000;

export interface NodesMeasured extends Scaling {
  /** From sending new code to node A, and from its answer, to the first answer of that code by node B. */
  readonly seenMs: readonly number[];
  readonly seenAfterAnswerMs: readonly number[];
}

interface Node extends Started {
  readonly port: number;
  readonly endpoint: string;
  readonly dataDir: string;
}

/** One node beside two on a PostgreSQL of the bench's own, and how soon one answers with what was deployed at the other. */
export async function measureNodes(folder: string): Promise<NodesMeasured> {
  const postgres = await startPostgres();
  const started: Node[] = [];
  try {
    const serverKey = randomBytes(32).toString("hex");
    const group = async (nodes: number) => {
      const store = await postgres.newStore();
      const group: Node[] = [];
      for (let node = 0; node < nodes; node += 1) {
        const dataDir = join(folder, `${nodes}-${node}`);
        const one = await startNode(store, dataDir, serverKey);
        started.push(one);
        group.push(one);
      }
      const [first] = group;
      if (first === undefined) throw new Error("There is no node");
      const helloPath = await deployApp("bench/app", first.dataDir, first.port);
      return {
        nodes: group,
        pids: group.map(({ pid }) => pid),
        endpoints: group.map(({ endpoint }) => endpoint),
        helloPath,
      };
    };
    const one = await group(1);
    const two = await group(2);
    const [a, b] = two.nodes;
    if (a === undefined || b === undefined) throw new Error("There are not two nodes");
    const seen = await measureSeen(folder, a, b);
    return { ...(await compareScaling(folder, one, two)), ...seen };
  } finally {
    await Promise.all(started.map((node) => node.stop()));
    await postgres.stop();
  }
}

async function startNode(store: string, dataDir: string, serverKey: string): Promise<Node> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const args = ["dist/main.mjs", "start", "--dev", "--store", store, "--data", dataDir, "--port", String(port)];
  const started = startProcess(process.execPath, [...args, "--workers", "1"], {
    env: { CUMULET_LOG: "error", CUMULET_SERVER_KEY: serverKey, CUMULET_API_THROTTLE: "off" },
    quiet: true,
  });
  await untilAnswers(`${endpoint}/_cumulet/ready`, 10);
  return { ...started, port, endpoint, dataDir };
}

const code = (answer: string) => `exports.handler = async () => "${answer}";\n`;

async function measureSeen(folder: string, a: Node, b: Node) {
  // Its name is the stack's: not that of the other app.
  const app = join(folder, "seen");
  await mkdir(join(app, "src"), { recursive: true });
  await writeFile(join(app, "src", "index.js"), code("0"));
  const Hello = {
    Type: "AWS::Serverless::Function",
    Properties: {
      FunctionName: "bench-seen",
      Runtime: "nodejs24.x",
      MemorySize: 1024,
      CodeUri: "src/",
      Handler: "index.handler",
      Events: { Hello: { Type: "HttpApi", Properties: { Path: "/seen", Method: "get" } } },
    },
  };
  const template = { Transform: "AWS::Serverless-2016-10-31", Resources: { Hello } };
  await writeFile(join(app, "template.json"), JSON.stringify(template));
  const path = await deployApp(app, a.dataDir, a.port);
  const text = await readFile(join(a.dataDir, "credentials"), "utf8");
  const value = (name: string) => new RegExp(`^${name}\\s*=\\s*(\\S+)`, "m").exec(text)?.[1] ?? "";
  const lambda = new LambdaClient({
    endpoint: a.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: value("aws_access_key_id"), secretAccessKey: value("aws_secret_access_key") },
  });
  const ask = async () => (await fetch(`${b.endpoint}${path}`)).text();
  await until(ask, "0");
  const seenMs: number[] = [];
  const seenAfterAnswerMs: number[] = [];
  for (let deploy = 1; deploy <= deploys; deploy += 1) {
    await delay(restMs);
    const answer = String(deploy);
    const ZipFile = zipOf({ "index.js": code(answer) });
    const from = performance.now();
    await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: "bench-seen", ZipFile }));
    const answered = performance.now();
    await until(ask, answer);
    const seen = performance.now();
    seenMs.push(seen - from);
    seenAfterAnswerMs.push(seen - answered);
  }
  lambda.destroy();
  return { seenMs, seenAfterAnswerMs };
}

async function until(ask: () => Promise<string>, wanted: string): Promise<void> {
  let last = "";
  for (const end = Date.now() + untilMs; Date.now() < end; await delay(2)) {
    last = await ask();
    if (last === wanted) return;
  }
  throw new Error(`The other node did not answer with the new code: ${last}`);
}

export function nodesRows(measured: NodesMeasured): Row[] {
  return [
    ...scalingRows(measured, "node"),
    {
      what: "code sent to node A until node B answers with it, median",
      value: median(measured.seenMs),
      unit: "ms",
    },
    {
      what: "of that, after node A has answered, median",
      value: median(measured.seenAfterAnswerMs),
      unit: "ms",
    },
  ];
}

if (import.meta.main) {
  const folder = await mkdtemp(join(tmpdir(), "cumulet-bench-nodes-"));
  try {
    printTable(nodesRows(await measureNodes(folder)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
