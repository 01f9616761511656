import { AwsError } from "../../../aws/error.ts";
import type { Job } from "../../../kernel/jobs/jobs.ts";
import type { Transaction } from "../../../kernel/store/store.ts";
import type { Cognito } from "../core.ts";
import { type Pool, poolArn, readPool } from "../model.ts";
import { columnsOf, parseHeader } from "./csv.ts";
import {
  type Batch,
  batchKey,
  deleteLines,
  type ImportJob,
  linesPrefix,
  readImport,
  writeImport,
} from "./import-job.ts";
import { importUser } from "./import-user.ts";

export const importKind = "cognito-idp.import";

type Log = (lines: readonly string[]) => Promise<void>;

/** Jobs that make users from files: a batch of lines and how far they are, in one transaction. */
export function handleImports(cognito: Cognito): void {
  cognito.jobs.handle(importKind, {
    concurrency: 1,
    run: async (job) => {
      const [poolId, jobId] = job.key.map(String);
      const pool = await cognito.store.read((reader) => readPool(reader, poolId ?? ""));
      if (pool && jobId !== undefined) await runImport(cognito, job, pool, jobId);
    },
  });
}

async function runImport(cognito: Cognito, job: Job, pool: Pool, jobId: string): Promise<void> {
  const known = await cognito.store.read((reader) => readImport(reader, pool, jobId));
  if (!known?.file) return;
  const names = parseHeader(known.file.header, columnsOf(pool));
  if (names === undefined) return end(cognito, job, pool, jobId, "Failed", "The header of the CSV file is not valid.");
  try {
    const log = await openLog(cognito, pool, known);
    for (;;) {
      if (job.signal.aborted) throw new Error("The platform stops: the import goes on elsewhere");
      const state = await cognito.store.read((reader) => readImport(reader, pool, jobId));
      if (!state?.file) return;
      await log(state.unlogged);
      if (state.status === "Stopping") {
        return await end(cognito, job, pool, jobId, "Stopped", "The Import Job was stopped by the developer.");
      }
      if (state.next >= state.file.batches) {
        return await end(cognito, job, pool, jobId, "Succeeded", "Import Job Completed Successfully.");
      }
      await job.commit((tx) => takeBatch(cognito, tx, pool, jobId, names));
    }
  } catch (error) {
    // What the role may not do ends the job; anything else is tried again.
    if (!(error instanceof AwsError) || error.status >= 500) throw error;
    cognito.log.warn("A user import cannot be logged", { poolId: pool.id, jobId, error: error.message });
    await end(cognito, job, pool, jobId, "Failed", "The CloudWatch Logs role cannot be used.");
  }
}

async function takeBatch(
  { ids, clock }: Cognito,
  tx: Transaction,
  pool: Pool,
  jobId: string,
  names: readonly string[],
): Promise<void> {
  const state = await readImport(tx, pool, jobId);
  if (!state?.file || state.status === "Stopping") return;
  const batch = await tx.get<Batch>(batchKey(pool, jobId, state.file.id, state.next));
  const counts = { SUCCEEDED: state.imported, SKIPPED: state.skipped, FAILED: state.failed };
  const unlogged: string[] = [];
  for (const [at, line] of (batch?.lines ?? []).entries()) {
    if (line.trim() === "") continue;
    const { result, why } = await importUser(tx, { ids }, pool, line, names, clock.now());
    counts[result] += 1;
    unlogged.push(`[${result}] Line Number ${(batch?.firstLine ?? 0) + at} - ${why}`);
  }
  writeImport(tx, pool, {
    ...state,
    status: "InProgress",
    imported: counts.SUCCEEDED,
    skipped: counts.SKIPPED,
    failed: counts.FAILED,
    next: state.next + 1,
    unlogged,
  });
}

/** As the role that the job was given. Source: developer guide, "Creating the CloudWatch Logs IAM role". */
async function openLog({ iam, logs, clock }: Cognito, pool: Pool, { id, name, roleArn }: ImportJob): Promise<Log> {
  const principal = await iam.assumeRole({
    roleArn,
    service: "cognito-idp.amazonaws.com",
    sessionName: id,
    sourceArn: poolArn(pool),
  });
  const client = logs({ principal, account: pool.account, region: pool.region });
  const logGroupName = `/aws/cognito/userpools/${pool.id}/${pool.name}`;
  const logStreamName = `${id}/${name}`;
  await unlessThere(client.CreateLogGroup({ logGroupName }));
  await unlessThere(client.CreateLogStream({ logGroupName, logStreamName }));
  return async (lines) => {
    if (lines.length === 0) return;
    const timestamp = clock.now();
    const logEvents = lines.map((message) => ({ timestamp, message }));
    await client.PutLogEvents({ logGroupName, logStreamName, logEvents });
  };
}

async function unlessThere(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== "ResourceAlreadyExistsException") throw error;
  }
}

async function end(
  { store, clock }: Cognito,
  job: Job,
  pool: Pool,
  jobId: string,
  status: "Stopped" | "Failed" | "Succeeded",
  message: string,
): Promise<void> {
  await deleteLines(store, (body) => job.commit(body), linesPrefix(pool, jobId));
  await job.finish(async (tx) => {
    const state = await readImport(tx, pool, jobId);
    if (!state) return;
    writeImport(tx, pool, { ...state, status, message, unlogged: [], completedAt: clock.now() });
  });
}
