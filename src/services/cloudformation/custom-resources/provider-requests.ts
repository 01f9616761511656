import { createHash } from "node:crypto";
import type { Seal } from "../../../access/server-keys.ts";
import type { Clock } from "../../../kernel/clock.ts";
import type { Ids } from "../../../kernel/ids.ts";
import type { Jobs } from "../../../kernel/jobs/jobs.ts";
import type { Key, Store } from "../../../kernel/store/store.ts";
import { cloudFormationLimits as limits } from "../limits.ts";
import type { Place } from "../model.ts";
import type { ProviderResponse, ResponseSubject } from "./provider-response.ts";

export interface ProviderNeeds {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly seal: Seal;
  /** The platform's address as functions reach it. */
  readonly functionEndpoint: () => string;
}

export const responsePath = "/_cumulet/custom-resource/";
const forgetKind = "cloudformation.forgetRequest";

/** One incarnation of a custom resource: it has one request at a time. */
export interface Subject extends Place {
  readonly clientToken: string;
}

/** What a provider was asked. It stays until the next request, so that a step that is run again finds its answer. */
export interface ProviderRequest extends ResponseSubject {
  readonly v: 1;
  /** What is asked, so that a step finds its own request and no other's. */
  readonly digest: string;
  /** Epoch milliseconds: no answer is taken any more. */
  readonly deadline: number;
  /** The function has been invoked. */
  readonly sent: boolean;
  readonly response?: ProviderResponse;
}

const requestsOf = ({ account, region, clientToken }: Subject): Key => [
  "cloudformation",
  account,
  region,
  "provider",
  clientToken,
];
const requestKey = (subject: Subject): Key => [...requestsOf(subject), "request"];

/** The request of a step: the one that was begun before a crash, or a new one. */
export async function beginRequest(
  { store, jobs, ids, clock }: ProviderNeeds,
  subject: Subject,
  asked: {
    readonly stackId: string;
    readonly logicalId: string;
    readonly question: unknown;
    readonly timeoutMs: number;
    readonly resumed: boolean;
  },
): Promise<ProviderRequest> {
  const { stackId, logicalId, question, timeoutMs, resumed } = asked;
  const digest = createHash("sha256").update(JSON.stringify(question)).digest("base64url");
  const requestId = ids.uuid();
  return store.transact(async (tx) => {
    const known = await tx.get<ProviderRequest>(requestKey(subject));
    if (resumed && known?.digest === digest) return known;
    const deadline = clock.now() + timeoutMs;
    const request: ProviderRequest = { v: 1, stackId, logicalId, requestId, digest, deadline, sent: false };
    tx.set(requestKey(subject), request);
    const { account, region, clientToken } = subject;
    const at = deadline + limits.customRequestKeptMs;
    jobs.schedule(tx, { kind: forgetKind, key: [account, region, clientToken], at });
    return request;
  });
}

export async function markSent({ store }: ProviderNeeds, subject: Subject, requestId: string): Promise<void> {
  await store.transact(async (tx) => {
    const request = await tx.get<ProviderRequest>(requestKey(subject));
    if (request?.requestId === requestId) tx.set(requestKey(subject), { ...request, sent: true });
  });
}

/** A step that has failed asks anew when it is tried again. */
export async function dropRequest({ store }: ProviderNeeds, subject: Subject): Promise<void> {
  await store.transact(async (tx) => tx.delete(requestKey(subject)));
}

/** Where a provider puts its answer: whoever has the address may, once, until the deadline. */
export function responseUrl(
  { seal, functionEndpoint }: ProviderNeeds,
  { account, region, clientToken }: Subject,
  { requestId }: ProviderRequest,
): string {
  const sealed = seal.seal(Buffer.from(JSON.stringify(["custom-resource", account, region, clientToken, requestId])));
  return `${functionEndpoint()}${responsePath}${Buffer.from(sealed).toString("base64url")}`;
}

/** Whose answer is put at an address. */
export function openResponsePath(
  { seal }: ProviderNeeds,
  path: string,
): { readonly subject: Subject; readonly requestId: string } | undefined {
  const opened = seal.open(Buffer.from(path.slice(responsePath.length), "base64url"));
  if (opened === undefined) return undefined;
  // Sealed by us, so it has the shape that `responseUrl` gave it, if it is one at all.
  const [kind, account, region, clientToken, requestId]: readonly unknown[] = JSON.parse(
    Buffer.from(opened).toString("utf8"),
  );
  if (kind !== "custom-resource") return undefined;
  return {
    subject: { account: String(account), region: String(region), clientToken: String(clientToken) },
    requestId: String(requestId),
  };
}

/** @returns whether the answer was awaited: it is taken once, and in time */
export async function takeResponse(
  { store, clock }: ProviderNeeds,
  subject: Subject,
  requestId: string,
  read: (request: ProviderRequest) => ProviderResponse,
): Promise<ProviderResponse | undefined> {
  return store.transact(async (tx) => {
    const request = await tx.get<ProviderRequest>(requestKey(subject));
    if (request?.requestId !== requestId || request.response || request.deadline <= clock.now()) return undefined;
    const response = read(request);
    tx.set(requestKey(subject), { ...request, response });
    return response;
  });
}

/** Whichever process takes the answer. @returns undefined when there was none in time, or `signal` was aborted */
export async function awaitResponse(
  { store, clock }: ProviderNeeds,
  subject: Subject,
  { requestId, deadline }: ProviderRequest,
  signal: AbortSignal,
): Promise<ProviderResponse | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<ProviderResponse | undefined>();
  const look = async (): Promise<void> => {
    const request = await store.read((reader) => reader.get<ProviderRequest>(requestKey(subject)));
    if (request?.requestId !== requestId) resolve(undefined);
    else if (request.response) resolve(request.response);
  };
  const again = (): void => void look().catch(reject);
  const give = (): void => resolve(undefined);
  const unwatch = store.watch(requestsOf(subject), again);
  const cancel = clock.after(Math.max(0, deadline - clock.now()), give);
  signal.addEventListener("abort", give, { once: true });
  if (signal.aborted) give();
  again();
  try {
    return await promise;
  } finally {
    unwatch();
    cancel();
    signal.removeEventListener("abort", give);
  }
}

export function handleForgottenRequests({ store, jobs }: Pick<ProviderNeeds, "store" | "jobs">): void {
  jobs.handle(forgetKind, {
    concurrency: 1,
    run: async (job) => {
      const [account = "", region = "", clientToken = ""] = job.key.map(String);
      const key = requestKey({ account, region, clientToken });
      if (await store.read((reader) => reader.get(key))) await job.finish(async (tx) => tx.delete(key));
    },
  });
}
