import type { Principal } from "../../../aws/principal.ts";
import type { Clock } from "../../../kernel/clock.ts";
import type { InnerAnswer } from "../../../wire/service.ts";
import type { IntegrationNeeds } from "./integration-needs.ts";
import type { ServiceTarget } from "./service-uri.ts";

/** A call of an operation, on its way to the service. */
export interface ServiceCall {
  readonly target: Pick<ServiceTarget, "service" | "action">;
  /** With a query of its own, perhaps. */
  readonly path: string;
  readonly method: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly principal: Principal;
  readonly account: string;
  readonly region: string;
  readonly endpoint: string;
  readonly requestId: string;
  readonly sourceIp: string;
  readonly timeoutMs: number;
}

/** Ask a service of the platform; `late` when it has not answered in time. */
export async function callService(
  needs: { readonly clock: Clock; readonly integrations: IntegrationNeeds },
  call: ServiceCall,
): Promise<InnerAnswer | "late"> {
  const { principal, account, region, endpoint } = call;
  const [path = "/", own = ""] = call.path.split("?", 2);
  const stopped = new AbortController();
  const cancel = needs.clock.after(call.timeoutMs, () => stopped.abort());
  const late = new Promise<"late">((resolve) => stopped.signal.addEventListener("abort", () => resolve("late")));
  const answer = needs.integrations.innerApi({
    service: call.target.service,
    ...(call.target.action === undefined ? {} : { action: call.target.action }),
    method: call.method,
    path,
    query: [own, call.query].filter((part) => part !== "").join("&"),
    headers: call.headers,
    body: call.body,
    as: { principal, account, region, endpoint, signal: stopped.signal },
    requestId: call.requestId,
    sourceIp: call.sourceIp,
  });
  try {
    return await Promise.race([answer, late]);
  } catch (error) {
    if (stopped.signal.aborted) return "late";
    throw error;
  } finally {
    cancel();
    // When it was late, nobody waits for how it ends.
    answer.catch(() => undefined);
  }
}
