import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort, startProcess } from "./process.ts";

const edits = 15;
const restMs = 500;
const untilMs = 30_000;

const template = {
  Transform: "AWS::Serverless-2016-10-31",
  Resources: {
    Hello: {
      Type: "AWS::Serverless::Function",
      Properties: {
        Runtime: "nodejs24.x",
        CodeUri: "src/",
        Handler: "index.handler",
        Events: { Hello: { Type: "HttpApi", Properties: { Path: "/hello", Method: "get" } } },
      },
    },
  },
};

/** Under `cumulet dev`: from the moment a file is saved to the first answer of the new code, asked for all the time. */
export async function measureReload(folder: string): Promise<number[]> {
  const app = join(folder, "app");
  const data = join(folder, "data");
  await mkdir(join(app, "src"), { recursive: true });
  await writeFile(join(app, "template.json"), JSON.stringify(template));
  const save = (text: string) =>
    writeFile(join(app, "src", "index.mjs"), `export const handler = async () => "${text}";\n`);
  await save("0");
  const port = await freePort();
  const args = ["dist/main.mjs", "dev", app, "--data", data, "--port", String(port)];
  const dev = startProcess(process.execPath, args, { env: { CUMULET_LOG: "warn" }, captured: true });
  try {
    const [, api = ""] = await said(dev.output, /GET +http:\/\/\S*?([a-z0-9]{10})(?:\.execute-api|\/hello)/);
    await said(dev.output, /Watching for changes/);
    const ask = async () => (await fetch(`http://127.0.0.1:${port}/_cumulet/api/${api}/hello`)).text();
    await answers(ask, "0");
    const ms: number[] = [];
    for (let edit = 1; edit <= edits; edit += 1) {
      await delay(restMs);
      const from = performance.now();
      await save(String(edit));
      await answers(ask, String(edit));
      ms.push(performance.now() - from);
    }
    return ms;
  } finally {
    await dev.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function answers(ask: () => Promise<string>, wanted: string): Promise<void> {
  for (const until = Date.now() + untilMs; Date.now() < until; await delay(2)) {
    if ((await ask()) === wanted) return;
  }
  throw new Error("The new code did not answer");
}

async function said(output: () => string, pattern: RegExp): Promise<RegExpExecArray> {
  for (const until = Date.now() + untilMs; Date.now() < until; await delay(10)) {
    const found = pattern.exec(output());
    if (found !== null) return found;
  }
  throw new Error(`cumulet dev did not say ${String(pattern)}:\n${output()}`);
}
