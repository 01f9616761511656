import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

/** Where the test set-up puts the command line tools; undefined where it could not. */
export const tools = {
  sam: find(join(root, ".venv/bin/sam")),
  python: find(join(root, ".venv/bin/python")),
  awsV1: find(join(root, ".venv/bin/aws")),
  awsV2: find("/usr/bin/aws"),
  chromium: find("/usr/bin/chromium-headless-shell") ?? find("/usr/bin/chromium"),
} as const;

function find(path: string): string | undefined {
  return existsSync(path) ? path : undefined;
}

export interface ToolResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a tool to its end with only the environment a user would have set. Never rejects for what the tool does. */
export function runTool(
  path: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env: Readonly<Record<string, string>>; readonly timeoutMs?: number },
): Promise<ToolResult> {
  const inherited = ["PATH", "HOME", "LANG", "PIP_FIND_LINKS", "PIP_CERT", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"];
  const env: Record<string, string> = {
    ...options.env,
    SAM_CLI_TELEMETRY: "0",
    AWS_PAGER: "",
    AWS_EC2_METADATA_DISABLED: "true",
  };
  for (const name of inherited) {
    const value = process.env[name];
    if (value !== undefined) env[name] ??= value;
  }
  return new Promise((resolve) => {
    execFile(
      path,
      [...args],
      { cwd: options.cwd, env, timeout: options.timeoutMs ?? 120_000, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ status, stdout, stderr });
      },
    );
  });
}
