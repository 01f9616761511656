import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { freePort, startProcess, untilAnswers, type Started } from "./process.ts";

const run = promisify(execFile);
const main = "dist/main.mjs";

export interface CumuletServer extends Started {
  readonly port: number;
  readonly endpoint: string;
  /** Milliseconds from starting the process to the first 200 of the health check. */
  readonly readyMs: number;
  readonly environment: Readonly<Record<string, string>>;
  /** `GET /hello/x` of the HTTP API that a deployed bench function of this name has. */
  url(functionName: string): string;
}

/** Starts the bundle, sandboxed by default, in one process whatever the machine, and deploys an app if one is named. */
export async function startCumulet(dataDir: string, app?: string): Promise<CumuletServer> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const from = performance.now();
  const args = [main, "start", "--port", String(port), "--data", dataDir, "--workers", "1"];
  const started = startProcess(process.execPath, args, { env: { CUMULET_LOG: "warn", CUMULET_API_THROTTLE: "off" } });
  await untilAnswers(`${endpoint}/_cumulet/health`, 2);
  const readyMs = performance.now() - from;
  const environment = await readEnvironment(dataDir, port);
  let addresses = "";
  if (app !== undefined) {
    const deployed = await run(process.execPath, [main, "deploy", app, "--data", dataDir, "--port", String(port)]);
    addresses = deployed.stdout;
  }
  return {
    ...started,
    port,
    endpoint,
    readyMs,
    environment,
    url: () => {
      const address = /^GET\s+(\S+)$/m.exec(addresses)?.[1];
      if (address === undefined) throw new Error(`The app printed no address:\n${addresses}`);
      return address.replace("{name}", "x");
    },
  };
}

async function readEnvironment(dataDir: string, port: number): Promise<Record<string, string>> {
  const { stdout } = await run(process.execPath, [main, "env", "--data", dataDir, "--port", String(port)]);
  return Object.fromEntries([...stdout.matchAll(/^export (\w+)='(.*)'$/gm)].map(([, name, value]) => [name, value]));
}
