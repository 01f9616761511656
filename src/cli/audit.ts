import { open, rm } from "node:fs/promises";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import type * as sdk from "@aws-sdk/client-cloudtrail";
import { CommandError, type Command, type Output } from "./command.ts";
import { connectionOptions, openConnection } from "./connection.ts";
import { toColumns } from "./table.ts";

const dayMs = 24 * 3_600_000;
const listedMax = 100;

export const auditCommand: Command = {
  name: "audit",
  usage:
    "audit list|export [FILE] [--from TIME] [--to TIME] [--user NAME] [--event NAME] [--region REGION] [--port PORT] [--data DIR]",
  summary: "shows who called what, or writes it to a file",
  help: "list: the latest 100 calls. export FILE: all of them, one record a line, newest first; a name that ends in .json is written in the form of CloudTrail's log files, and .gz compresses either. --from and --to are ISO 8601 times, the last day by default; calls are kept for 90 days. --user or --event narrow it. Calls are kept by region; IAM's are in us-east-1.",
  async run(argv, output) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: {
        ...connectionOptions,
        from: { type: "string" },
        to: { type: "string" },
        user: { type: "string" },
        event: { type: "string" },
        region: { type: "string" },
      },
      allowPositionals: true,
    });
    const [verb, file] = positionals;
    const connection = await openConnection(values);
    const { CloudTrailClient, paginateLookupEvents } = await import("@aws-sdk/client-cloudtrail");
    const client = new CloudTrailClient({ ...connection, ...(values.region && { region: values.region }) });
    const pages = paginateLookupEvents({ client }, questionOf(values));
    if (verb === "list") return await list(pages, output);
    if (verb !== "export" || file === undefined) {
      throw new CommandError("Say what to do: cumulet audit list, or cumulet audit export FILE");
    }
    return await write(pages, file, output);
  },
};

function questionOf(flags: {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly user?: string | undefined;
  readonly event?: string | undefined;
}): sdk.LookupEventsCommandInput {
  if (flags.user !== undefined && flags.event !== undefined) {
    throw new CommandError("Narrow it by --user or by --event, not by both.");
  }
  const LookupAttributes: sdk.LookupAttribute[] = [];
  if (flags.user !== undefined) LookupAttributes.push({ AttributeKey: "Username", AttributeValue: flags.user });
  if (flags.event !== undefined) LookupAttributes.push({ AttributeKey: "EventName", AttributeValue: flags.event });
  return {
    ...(LookupAttributes.length > 0 && { LookupAttributes }),
    StartTime: flags.from === undefined ? new Date(Date.now() - dayMs) : toTime(flags.from),
    ...(flags.to !== undefined && { EndTime: toTime(flags.to) }),
  };
}

function toTime(text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new CommandError(`${text} is no time: write it as 2026-01-31T12:00:00Z`);
  return time;
}

type Pages = AsyncIterable<sdk.LookupEventsCommandOutput>;

async function list(pages: Pages, output: Output): Promise<number> {
  const rows = [["time", "user", "event", "service", "resource", "error"]];
  for await (const { Events = [] } of pages) {
    for (const event of Events) {
      rows.push([
        event.EventTime?.toISOString() ?? "",
        event.Username ?? "-",
        event.EventName ?? "",
        event.EventSource?.replace(".amazonaws.com", "") ?? "",
        event.Resources?.[0]?.ResourceName ?? "-",
        errorOf(event.CloudTrailEvent),
      ]);
      if (rows.length > listedMax) break;
    }
    if (rows.length > listedMax) break;
  }
  for (const line of toColumns(rows)) output.out(line);
  return 0;
}

function errorOf(record: string | undefined): string {
  const parsed: unknown = JSON.parse(record ?? "{}");
  return typeof parsed === "object" && parsed !== null && "errorCode" in parsed ? String(parsed.errorCode) : "";
}

/** A page at a time: members of a gzip file may follow each other. */
async function write(pages: Pages, path: string, output: Output): Promise<number> {
  const packed = path.endsWith(".gz");
  const asLogFile = /\.json(\.gz)?$/.test(path);
  const file = await open(path, "wx", 0o600).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") {
      throw new CommandError(`${path} exists already; nothing was written.`);
    }
    throw error;
  });
  let count = 0;
  try {
    const put = async (text: string) => {
      if (text !== "") await file.write(packed ? gzipSync(text) : Buffer.from(text));
    };
    if (asLogFile) await put('{"Records":[');
    for await (const { Events = [] } of pages) {
      const records = Events.map(({ CloudTrailEvent }) => CloudTrailEvent ?? "{}");
      const before = count > 0 && records.length > 0 ? "," : "";
      await put(asLogFile ? before + records.join(",") : records.map((record) => `${record}\n`).join(""));
      count += records.length;
    }
    if (asLogFile) await put("]}\n");
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  output.err(`${count} calls.`);
  output.out(path);
  return 0;
}
