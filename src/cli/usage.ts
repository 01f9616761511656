import { parseArgs } from "node:util";
import { CommandError, type Command } from "./command.ts";
import { connectionOptions, openConnection } from "./connection.ts";
import { signedGet } from "./signed-get.ts";
import type { UsageRow } from "../metering/report.ts";

const dayMs = 24 * 3_600_000;

export const usageCommand: Command = {
  name: "usage",
  usage: "usage [--by function,day] [--days N] [--from TIME] [--to TIME] [--json] [--port PORT] [--data DIR]",
  summary: "shows what functions have used",
  help: "--by splits by any of function, day, hour, region, version, qualifier, memory, trigger, tenant and tag:KEY; by function unless said otherwise. --days: today and the days before it, 30 in all by default. --from and --to are ISO 8601 times. --json prints what the server answers.",
  async run(argv, output) {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        ...connectionOptions,
        by: { type: "string" },
        days: { type: "string" },
        from: { type: "string" },
        to: { type: "string" },
        json: { type: "boolean" },
      },
    });
    const days = Number(values.days ?? "30");
    if (!(days > 0)) throw new CommandError(`--days takes a number of days, not ${values.days}`);
    const now = Date.now();
    const connection = await openConnection(values);
    const by = values.by ?? "function";
    const answer = await signedGet(connection, "/_cumulet/usage", {
      by,
      from: values.from ?? new Date(now - (days - 1) * dayMs).toISOString(),
      to: values.to ?? new Date(now).toISOString(),
    });
    if (values.json) {
      output.out(JSON.stringify(answer, null, 2));
      return 0;
    }
    const rows = readRows(answer);
    if (rows.length === 0) output.err("Nothing was invoked in that time.");
    else for (const line of toTable(by.split(","), rows)) output.out(line);
    return 0;
  },
};

function toTable(by: readonly string[], rows: readonly UsageRow[]): string[] {
  const numbers = ["invocations", "errors", "cold", "billed ms", "GB-seconds", "duration ms", "cpu ms"];
  const cells = rows.map(({ group, totals }) => [
    ...group.map((text) => text || "-"),
    String(totals.invocations),
    String(totals.errors),
    String(totals.coldStarts),
    String(totals.billedMs),
    (totals.billedMbMs / 1_024_000).toFixed(3),
    (totals.durationUs / 1000).toFixed(2),
    // Whatever runs uses the processor: nothing means that this host does not count it.
    totals.cpuUs === 0 ? "-" : (totals.cpuUs / 1000).toFixed(0),
  ]);
  const table = [[...by, ...numbers], ...cells];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  return table.map((row) =>
    row
      .map((cell, column) =>
        column < by.length ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
}

function readRows(answer: unknown): readonly UsageRow[] {
  if (typeof answer !== "object" || answer === null || !("rows" in answer) || !Array.isArray(answer.rows)) return [];
  // The server's own answer, of the same version as this command.
  return answer.rows as UsageRow[];
}
