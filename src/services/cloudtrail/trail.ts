import { AwsError } from "../../aws/error.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Ids } from "../../kernel/ids.ts";
import type { Log } from "../../kernel/log.ts";
import type { Store } from "../../kernel/store/store.ts";
import type { CallObserver, EndedCall } from "../../wire/observer.ts";
import { isDataEvent, isReadOnly } from "./data-events.ts";
import { cloudtrailLimits as limits } from "./limits.ts";
import { eventKey, placesPrefix, type TrailEvent } from "./model.ts";
import { toTold } from "./redacted.ts";
import { resourcesOf } from "./resources.ts";
import { toUserIdentity, userNameOf } from "./user-identity.ts";

export interface TrailNeeds {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

/** Writes down every call of the control plane. */
export interface Trail extends Pick<CallObserver, "observes" | "ended"> {
  /** Write what waits. */
  flush(): Promise<void>;
}

interface Waiting {
  readonly account: string;
  readonly region: string;
  readonly event: TrailEvent;
}

/**
 * What changes something is written before it is answered; what only reads waits a moment to be written with others. A process
 * that is killed may lose the last moment of reads.
 */
export function createTrail(needs: TrailNeeds): Trail {
  const { store, clock, log } = needs;
  const places = new Set<string>();
  let waiting: Waiting[] = [];
  let writing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const write = async (batch: readonly Waiting[]) => {
    await store.transact(async (tx) => {
      for (const { account, region, event } of batch) {
        tx.set(eventKey(account, region, event), event);
        if (!places.has(`${account}/${region}`)) tx.set([...placesPrefix, account, region], [account, region]);
      }
      await Promise.resolve();
    });
    for (const { account, region } of batch) places.add(`${account}/${region}`);
  };

  const drain = async () => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, limits.batchEventsMax);
      waiting = waiting.slice(batch.length);
      try {
        await write(batch);
      } catch (error) {
        // The calls have happened: they are not undone because they could not be written down.
        log.error("Calls could not be written into the trail", { calls: batch.length, error });
      }
    }
    // In the same moment as nothing waits any more: what comes now begins anew.
    writing = undefined;
  };

  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    if (writing === undefined && waiting.length === 0) return Promise.resolve();
    writing ??= drain();
    return writing;
  };

  const later = () => {
    timer ??= setTimeout(() => void flush(), limits.readsWaitMs).unref();
  };

  return {
    observes: (model, operation) => !isDataEvent(model.name, operation),
    ended: (call) => {
      const { account, region } = placeOf(call);
      const event = toEvent(call, region, needs.ids.uuid(), clock.now());
      waiting.push({ account, region, event });
      if (event.readOnly && waiting.length < limits.waitingEventsMax) return later();
      return flush();
    },
    flush,
  };
}

/** IAM has no regions: its calls are looked up where AWS has them. */
function placeOf({ model, facts }: EndedCall): { readonly account: string; readonly region: string } {
  return { account: facts.account, region: model.name === "iam" ? "us-east-1" : facts.region };
}

const sources: Readonly<Record<string, string>> = {
  cloudwatch: "monitoring",
  apigatewayv2: "apigateway",
  dynamodbstreams: "dynamodb",
};

/** Source: "CloudTrail record contents for management, data, and network activity events". */
function toEvent(call: EndedCall, region: string, eventId: string, at: number): TrailEvent {
  const { model, operation, input, facts, outcome } = call;
  const readOnly = isReadOnly(model.name, operation.name);
  const source = `${sources[model.name] ?? model.name}.amazonaws.com`;
  const invokedBy = facts.calledVia?.at(-1);
  const { http, principal } = facts;
  const here = invokedBy ?? (principal.type === "service" ? principal.service : "cumulet.internal");
  const record = {
    eventVersion: "1.11",
    userIdentity: webIdentityOf(call) ?? toUserIdentity(principal, invokedBy),
    eventTime: `${new Date(at).toISOString().slice(0, 19)}Z`,
    eventSource: source,
    eventName: operation.name,
    awsRegion: region,
    sourceIPAddress: http?.sourceIp ?? here,
    userAgent: http?.headers["user-agent"]?.slice(0, 1_024) ?? here,
    ...("error" in outcome && errorOf(outcome.error)),
    requestParameters: toTold(operation.input, input) ?? null,
    responseElements: "output" in outcome && !isPlainRead(model.name, readOnly) ? answerOf(call) : null,
    requestID: facts.requestId,
    eventID: eventId,
    readOnly,
    eventType: "AwsApiCall",
    managementEvent: true,
    recipientAccountId: facts.account,
    eventCategory: "Management",
  };
  return {
    v: 1,
    eventId,
    at,
    name: operation.name,
    source,
    readOnly,
    accessKeyId: "accessKeyId" in principal && principal.accessKeyId !== "" ? principal.accessKeyId : undefined,
    userName: userNameOf(principal),
    resources: resourcesOf(model.name, input),
    record: JSON.stringify(record),
  };
}

/** Whoever shows a token signs nothing: the answer tells who it was. */
function webIdentityOf({ operation, outcome }: EndedCall): Readonly<Record<string, unknown>> | undefined {
  if (operation.name !== "AssumeRoleWithWebIdentity" || !("output" in outcome)) return undefined;
  const { Provider, Audience, SubjectFromWebIdentityToken: subject } = outcome.output;
  const principalId = [Provider, Audience, subject].map(String).join(":");
  return { type: "WebIdentityUser", principalId, userName: subject, identityProvider: Provider };
}

/** AWS: what STS gives is told although it changes nothing. */
function isPlainRead(service: string, readOnly: boolean): boolean {
  return readOnly && service !== "sts";
}

function answerOf({ operation, outcome }: EndedCall): Record<string, unknown> | null {
  return "output" in outcome ? (toTold(operation.output, outcome.output) ?? null) : null;
}

function errorOf(error: unknown): { readonly errorCode: string; readonly errorMessage: string } {
  if (error instanceof AwsError) {
    return { errorCode: error.code, errorMessage: error.message.slice(0, limits.textCharactersMax) };
  }
  return { errorCode: "InternalFailure", errorMessage: "An unknown error occurred" };
}
