import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { defaultPort, parsePort, readConfig, readDataDir } from "../config.ts";
import { CommandError } from "./command.ts";

/** How the commands reach a running server: where, and as whom. */
export interface Connection {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export const connectionOptions = {
  port: { type: "string" },
  data: { type: "string" },
} as const;

/** Reads the root credentials that the server keeps in its data folder. Throws `CommandError` when it never ran there. */
export async function openConnection(flags: {
  readonly port?: string | undefined;
  readonly data?: string | undefined;
}): Promise<Connection> {
  const dataDir = readDataDir(flags.data);
  const config = readConfig({ port: flags.port, data: flags.data });
  let text: string;
  try {
    text = await readFile(join(dataDir, "credentials"), "utf8");
  } catch {
    throw new CommandError(
      `No credentials in ${dataDir}: start the server first (cumulet start), or name its folder with --data.`,
    );
  }
  const accessKeyId = readIniValue(text, "aws_access_key_id");
  const secretAccessKey = readIniValue(text, "aws_secret_access_key");
  if (!accessKeyId || !secretAccessKey) throw new CommandError(`The credentials file in ${dataDir} is damaged.`);
  const port = flags.port === undefined ? ((await readServerPort(dataDir)) ?? config.port) : parsePort(flags.port);
  return { endpoint: `http://127.0.0.1:${port}`, region: config.region, credentials: { accessKeyId, secretAccessKey } };
}

/** Where the server says which port it took: it may have been asked for any free one. */
export const serverFile = "server.json";

async function readServerPort(dataDir: string): Promise<number | undefined> {
  try {
    const parsed: unknown = JSON.parse(await readFile(join(dataDir, serverFile), "utf8"));
    const port = typeof parsed === "object" && parsed !== null && "port" in parsed ? Number(parsed.port) : defaultPort;
    return Number.isInteger(port) ? port : undefined;
  } catch {
    return undefined;
  }
}

function readIniValue(text: string, name: string): string | undefined {
  for (const line of text.split("\n")) {
    const [key, ...value] = line.split("=");
    if (key?.trim() === name) return value.join("=").trim();
  }
  return undefined;
}
