import type { Reader } from "../../../kernel/store/store.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import { createTargets } from "../durable/chained-invokes.ts";
import { toUpdates } from "../durable/checkpoint-rules.ts";
import { applyUpdates } from "../durable/checkpoint.ts";
import { invalidToken } from "../durable/errors.ts";
import { changeRunning, isRunning, openJournal, runningOf, saveJournal } from "../durable/journal.ts";
import { readExecution, readOperation, type ExecutionKey, type ExecutionRecord } from "../durable/model.ts";
import { checkpointToken, checkToken, parseExecutionArn } from "../durable/names.ts";
import { fireTimers } from "../durable/outcomes.ts";
import { onExecution, pageSize } from "../durable/permissions.ts";
import { presentOperation } from "../durable/present.ts";
import { readState } from "../durable/state.ts";
import { functionNotFound, invalidParameter } from "../errors.ts";
import { functionArn } from "../model.ts";
import type { OperationNeeds, Sdk } from "../needs.ts";

/** What the durable execution SDK in a running function calls. */
export function durableCheckpointOperations(needs: OperationNeeds) {
  const { store, jobs, clock, ids, functions, iam } = needs;
  const targets = createTargets(needs);

  /** The role that the function itself runs as. */
  const assumeRole = async (key: ExecutionKey, record: ExecutionRecord) => {
    const fn = await functions.find(key, key.functionName);
    const version = await fn?.version(record.version);
    if (!fn || !version) throw functionNotFound(functionArn(key, key.functionName, record.version));
    return iam.assumeRole({
      roleArn: version.settings.role,
      service: "lambda.amazonaws.com",
      sessionName: key.functionName,
      sourceArn: fn.arn,
    });
  };

  return {
    CheckpointDurableExecution: {
      authorize: (input) => onExecution("CheckpointDurableExecution", input.DurableExecutionArn),
      async run(input, call) {
        const key = keyOf(input.DurableExecutionArn);
        const token = input.CheckpointToken ?? "";
        const updates = toUpdates(input.Updates ?? []);
        const found = await store.read((reader) => existing(reader, key, call.region));
        const resolved = await targets.resolve(key, updates, () => assumeRole(key, found));
        return store.transact(async (tx) => {
          const journal = await openJournal(tx, jobs, key, clock.now());
          if (!journal) throw invalidToken();
          const again = repeated(journal.record, input.ClientToken, token);
          if (again) return answer(tx, key, journal.record, again);
          checkToken(key, journal.record, token);
          await applyUpdates(journal, updates, resolved, ids);
          await fireTimers(journal);
          if (!isRunning(journal)) {
            await saveJournal(journal);
            return { NewExecutionState: { Operations: [] } };
          }
          const { unseen, sequence } = runningOf(journal);
          changeRunning(journal, {
            unseen: [],
            sequence: sequence + 1,
            ...(input.ClientToken !== undefined && {
              last: { clientToken: input.ClientToken, token, operations: unseen },
            }),
          });
          await saveJournal(journal);
          return answer(tx, key, journal.record, unseen);
        });
      },
    },

    GetDurableExecutionState: {
      authorize: (input) => onExecution("GetDurableExecutionState", input.DurableExecutionArn),
      run: (input, call) =>
        store.read(async (reader) => {
          const key = keyOf(input.DurableExecutionArn);
          const record = await existing(reader, key, call.region);
          checkToken(key, record, input.CheckpointToken ?? "");
          const page = { marker: input.Marker, limit: pageSize(input.MaxItems) };
          const { operations, nextMarker } = await readState(reader, key, record, page, (ms) => new Date(ms));
          return { Operations: operations, ...(nextMarker !== undefined && { NextMarker: nextMarker }) };
        }),
    },
  } satisfies OperationsOf<Sdk>;
}

function keyOf(arn: string | undefined): ExecutionKey & { readonly version: string; readonly name: string } {
  const key = parseExecutionArn(arn ?? "");
  if (!key) throw invalidParameter("Invalid Durable Execution ARN");
  return key;
}

async function existing(reader: Reader, key: ReturnType<typeof keyOf>, region: string): Promise<ExecutionRecord> {
  const record = key.region === region ? await readExecution(reader, key) : undefined;
  // AWS: these operations have no ResourceNotFoundException.
  if (!record || record.version !== key.version || record.name !== key.name) throw invalidToken();
  return record;
}

/** The operations that the last checkpoint answered with, when this is that checkpoint again. */
function repeated({ progress }: ExecutionRecord, clientToken: string | undefined, token: string) {
  if (progress.state === "closed" || clientToken === undefined) return undefined;
  const { last } = progress;
  return last?.clientToken === clientToken && last.token === token ? last.operations : undefined;
}

async function answer(reader: Reader, key: ExecutionKey, record: ExecutionRecord, changed: readonly string[]) {
  const { progress } = record;
  if (progress.state === "closed" || progress.lane.phase !== "invoking") throw invalidToken();
  const operations = await Promise.all(changed.map((id) => readOperation(reader, key, id)));
  const present = operations
    .flatMap((operation) => (operation ? [operation] : []))
    .toSorted((a, b) => a.order - b.order)
    .map((operation) => presentOperation(reader, key, operation, (ms) => new Date(ms)));
  return {
    CheckpointToken: checkpointToken(key, progress.lane.invocation, progress.sequence),
    NewExecutionState: { Operations: await Promise.all(present) },
  };
}
