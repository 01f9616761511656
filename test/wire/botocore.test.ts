import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  encodeCase,
  hasConformanceData,
  linkSuite,
  readSuites,
  responseFiles,
  toBytes,
  type ProtocolCase,
  type Suite,
} from "./conformance-data.ts";
import { known } from "./response-exceptions.ts";

/** The oracle: AWS's SDK for Python reads each of our answers, and must find in it what the case says. */
const python = join(import.meta.dirname, "../../.venv/bin/python");
const ready = hasConformanceData && existsSync(python);

interface Read {
  readonly suite: Suite;
  readonly each: ProtocolCase;
  readonly parsed: unknown;
}

describe.skipIf(!ready)(
  "botocore reads every answer (skipped without the conformance data or the project's .venv)",
  () => {
    if (!ready) return;
    for (const file of Object.keys(responseFiles)) {
      test(file, { timeout: 60_000 }, async () => {
        const wrong = (await readAll(file))
          .filter(({ each }) => known[each.id] === undefined)
          .filter(({ each, parsed }) => !isRight(each, parsed))
          .map(({ each, parsed }) => ({ id: each.id, wanted: each.result ?? each.error, parsed }));
        expect(wrong).toEqual([]);
      });
    }
  },
);

async function readAll(file: string): Promise<Read[]> {
  const name = responseFiles[file];
  if (!name) return [];
  const cases = readSuites(file).flatMap((suite) => suite.cases.map((each) => ({ suite, each })));
  const lines = await Promise.all(
    cases.map(async ({ suite, each }) => {
      const answer = encodeCase(linkSuite(suite, each.given), each, name);
      return JSON.stringify({
        metadata: suite.metadata,
        shapes: suite.shapes,
        given: each.given,
        status: answer.status,
        headers: answer.headers,
        body: Buffer.from(await toBytes(answer.body)).toString("base64"),
        error: each.errorCode !== undefined,
      });
    }),
  );
  const run = spawnSync(python, [join(import.meta.dirname, "read_responses.py")], {
    input: lines.join("\n"),
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  expect(run.stderr).toBe("");
  const answers = run.stdout
    .trim()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
  return cases.map(({ suite, each }, index) => ({ suite, each, parsed: answers[index] }));
}

function isRight(each: ProtocolCase, answer: unknown): boolean {
  if (typeof answer !== "object" || answer === null || !("parsed" in answer)) return false;
  const parsed = Object(answer.parsed);
  if (each.errorCode === undefined) return sameJson(parsed, each.result ?? {});
  if (parsed.Error?.Code !== each.errorCode) return false;
  return Object.entries(each.error ?? {}).every(([name, value]) => sameJson(parsed[name] ?? parsed.Error[name], value));
}

/** Equal, where an absent member, a null one and an empty map of headers are the same. */
function sameJson(left: unknown, right: unknown): boolean {
  return JSON.stringify(sorted(left)) === JSON.stringify(sorted(right));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
