import type { Clock } from "../../../kernel/clock.ts";
import type { Ids } from "../../../kernel/ids.ts";
import type { Jobs } from "../../../kernel/jobs/jobs.ts";
import type { Log } from "../../../kernel/log.ts";
import type { Store, Transaction } from "../../../kernel/store/store.ts";
import type { Principal } from "../../../aws/principal.ts";
import type { ServiceDirectory } from "../../../wire/service.ts";
import type { IamPort } from "../../iam/port.ts";
import type { ResourceTypes } from "../resource-types.ts";
import { secretsOf, withoutSecrets } from "./secrets.ts";
import { keys, stackEvent, type Deployment, type Stack, type StackEvent, type StackResource } from "../model.ts";

export interface EngineNeeds {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly directory: ServiceDirectory;
  readonly iam: Pick<IamPort, "assumeRole" | "passRole">;
  readonly types: ResourceTypes;
}

/**
 * One run of a stack's operation, by one process. It is the only writer of the stack, its resources and its events while
 * it holds the runner's key; every write checks that it still does.
 */
export interface Run {
  readonly needs: EngineNeeds;
  readonly token: string;
  /** As last written. */
  stack: Stack;
  readonly resources: Map<string, StackResource>;
  nextEvent: number;
  /** Who the resources are made as. */
  readonly principal: Principal;
  /** Whose parameters events must not show, where they are `NoEcho`. */
  readonly deployments: readonly (Deployment | undefined)[];
  /** Aborted when this process must stop: nothing more is written. */
  readonly stopped: AbortSignal;
}

/** The run is over for this process: another has taken it, or the platform stops. Not a failure of the stack. */
export class RunEndedError extends Error {
  constructor() {
    super("The run of the stack's operation has ended in this process");
    this.name = "RunEndedError";
  }
}

export type EventDraft = Omit<StackEvent, "eventId" | "at" | "clientRequestToken">;

/** Write, as the stack's runner, in one transaction with the events that tell it. */
export async function writeAsRunner<T>(
  run: Run,
  events: readonly EventDraft[],
  body: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const { stack, needs } = run;
  const numbered = numberEvents(run, events);
  return needs.store.transact(async (tx) => {
    await checkRunner(run, tx);
    for (const [number, event] of numbered) tx.set(keys.event(stack, stack.stackId, number), event);
    return body(tx);
  });
}

export async function checkRunner(run: Run, tx: Transaction): Promise<void> {
  if (run.stopped.aborted) throw new RunEndedError();
  if ((await tx.get<string>(keys.runner(run.stack, run.stack.stackId))) !== run.token) throw new RunEndedError();
}

function numberEvents(run: Run, events: readonly EventDraft[]): readonly (readonly [number, StackEvent])[] {
  const { stack, needs } = run;
  const at = needs.clock.now();
  const secrets = events.length > 0 ? secretsOf(run.deployments, run.resources.values()) : [];
  return events.map((event) => [
    run.nextEvent++,
    {
      ...event,
      ...(event.properties !== undefined && { properties: withoutSecrets(event.properties, secrets) }),
      eventId: `${event.logicalId}-${event.status}-${new Date(at).toISOString()}`,
      at,
      ...(stack.clientRequestToken !== undefined && { clientRequestToken: stack.clientRequestToken }),
    },
  ]);
}

/** Record what a resource has become, and tell it. */
export async function recordResource(run: Run, resource: StackResource, events: readonly EventDraft[]): Promise<void> {
  await writeAsRunner(run, events, async (tx) => {
    tx.set(keys.resource(run.stack, run.stack.stackId, resource.logicalId), resource);
  });
  run.resources.set(resource.logicalId, resource);
}

/** Move the stack to its next status. `body` writes what belongs to the move. */
export async function advanceStack(
  run: Run,
  stack: Stack,
  body?: (tx: Transaction) => Promise<void>,
  finish?: <T>(body: (tx: Transaction) => Promise<T>) => Promise<T>,
): Promise<void> {
  const at = run.needs.clock.now();
  const number = run.nextEvent++;
  const event = stackEvent(stack, run.needs.ids.uuid(), at);
  const write = async (tx: Transaction): Promise<void> => {
    await checkRunner(run, tx);
    tx.set(keys.stack(stack, stack.stackId), stack);
    tx.set(keys.event(stack, stack.stackId, number), event);
    await body?.(tx);
  };
  await (finish ? finish(write) : run.needs.store.transact(write));
  run.stack = stack;
}

/** The stack in another status: the reason is the new one's or none. */
export function withStatus(stack: Stack, status: Stack["status"], reason?: string): Stack {
  const { reason: _former, ...rest } = stack;
  return { ...rest, status, ...(reason !== undefined && { reason }) };
}
