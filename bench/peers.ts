import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { freePort, startProcess, untilAnswers, type Started } from "./process.ts";

const folder = "bench/peers";

/** Installs what is measured against, and the load generator, where they are not there yet. */
export function installPeers(): void {
  const isThere = ["@vercel/fun", "cognito-local", "dynalite", "s3rver"].every((name) =>
    existsSync(`${folder}/node_modules/${name}`),
  );
  if (!isThere) execFileSync("npm", ["ci"], { cwd: folder, stdio: "inherit" });
  try {
    execFileSync("wrk", ["-v"], { stdio: "ignore" });
  } catch (error) {
    // It prints its version and exits with 1.
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      execFileSync("apt-get", ["install", "-y", "-qq", "wrk"], { stdio: "inherit" });
    }
  }
}

export async function startFastify(): Promise<Started & { readonly url: string }> {
  const port = await freePort();
  const started = startProcess(process.execPath, ["fastify-app.mjs"], { cwd: folder, env: { PORT: String(port) } });
  const url = `http://127.0.0.1:${port}/hello/x`;
  await untilAnswers(url, 20);
  return { ...started, url };
}

/** @vercel/fun behind a server of a few lines, on the same handler. */
export async function startFun(): Promise<Started & { readonly url: string }> {
  const port = await freePort();
  const started = startProcess(process.execPath, ["fun-app.mjs"], {
    cwd: folder,
    env: { PORT: String(port) },
    quiet: true,
  });
  const url = `http://127.0.0.1:${port}/hello/x`;
  await untilAnswers(url, 100);
  return { ...started, url };
}

/** serverless-offline 13 under osls, on the same handler. */
export async function startServerlessOffline(): Promise<Started & { readonly url: string }> {
  const port = await freePort();
  const lambdaPort = await freePort();
  const args = [
    "node_modules/osls/bin/serverless.js",
    "offline",
    "--httpPort",
    String(port),
    "--lambdaPort",
    String(lambdaPort),
  ];
  const started = startProcess(process.execPath, args, {
    cwd: folder,
    env: { SLS_TELEMETRY_DISABLED: "1" },
    // It prints several lines for each request: where they go must not slow it down.
    quiet: true,
  });
  const url = `http://127.0.0.1:${port}/hello/x`;
  await untilAnswers(url, 100);
  return { ...started, url };
}

/** @param data where it keeps its pools, as files */
export async function startCognitoLocal(data: string): Promise<Started & { readonly endpoint: string }> {
  const port = await freePort();
  const program = resolve(folder, "node_modules/cognito-local/lib/bin/start.js");
  const started = startProcess(process.execPath, [program], {
    cwd: data,
    env: { HOST: "127.0.0.1", PORT: String(port) },
    // It prints each request.
    quiet: true,
  });
  const endpoint = `http://127.0.0.1:${port}`;
  await untilAnswers(`${endpoint}/health`, 20);
  return { ...started, endpoint };
}
