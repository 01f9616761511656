import type { Authorizer } from "../access/authorization.ts";
import { isLoopbackAddress } from "../access/loopback.ts";
import type { OwnAction } from "../access/reference/known-actions.ts";
import type { Verifier } from "../access/verifier.ts";
import { AwsError } from "../aws/error.ts";
import type { Principal } from "../aws/principal.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { Store } from "../kernel/store/store.ts";
import { toExposition, type MetricFamily } from "../metering/exposition.ts";
import type { TokenCheck } from "../metering/metrics-token.ts";
import { listRecords, parseDimensions, reportUsage, UsageQueryError } from "../metering/report.ts";
import { isEncrypted, sourceIp as sourceIpOf } from "../proxy/client-address.ts";
import type { HttpRequest, HttpResponse } from "../proxy/http-exchange.ts";
import type { DeveloperApi } from "./developer-api.ts";
import type { ExplainApi } from "./explain-api.ts";

export interface PlatformApiNeeds {
  readonly verifier: Verifier;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly log: Log;
  readonly account: string;
  readonly region: string;
  readonly metering: {
    readonly store: Store;
    readonly flush: () => Promise<void>;
    /** The numbers of all processes that serve on this port. */
    readonly gather: () => Promise<readonly MetricFamily[]>;
    /** Absent: whoever reaches the listener may read `/metrics`. */
    readonly metricsToken?: TokenCheck;
  };
  readonly explain?: ExplainApi;
  /** Messages that an account's user pools have sent, the newest first. */
  readonly outbox?: (account: string, limit: number) => Promise<readonly object[]>;
  /** For the root of this installation: what `cumulet dev` and `cumulet debug` need. */
  readonly developer?: DeveloperApi;
}

/** The platform's own API, below AWS's: usage, signed with Signature Version 4 for the service `cumulet`, and `/metrics`. */
export interface PlatformApi {
  /** Answers and returns true, or returns false where the path is none of its own. */
  handle(path: string, request: HttpRequest, response: HttpResponse): boolean;
}

export const metricsPath = "/metrics";
const explainPath = "/_cumulet/explain";
const outboxPath = "/_cumulet/outbox";
const outboxMessagesMax = 1_000;

export function createPlatformApi(needs: PlatformApiNeeds): PlatformApi {
  const { metering, clock, log } = needs;

  const metrics = async (request: HttpRequest, response: HttpResponse): Promise<void> => {
    if (metering.metricsToken && !metering.metricsToken(request.headers.authorization)) {
      response.setHeader("www-authenticate", 'Bearer realm="cumulet"');
      answerJson(response, 401, { message: "The token in the file metrics-token of the data folder is required" });
      return;
    }
    const text = toExposition(await metering.gather());
    response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
    response.end(text);
  };

  const usage = async (request: HttpRequest, response: HttpResponse, single: boolean): Promise<void> => {
    const { account } = await authorize(needs, request, single ? "cumulet:ListUsageRecords" : "cumulet:GetUsage");
    const query = queryOf(request);
    const now = clock.now();
    const from = timeOf(query.get("from"), now - 24 * 3_600_000);
    const to = timeOf(query.get("to"), now);
    await metering.flush();
    if (single) {
      const functionName = query.get("function") ?? undefined;
      const after = query.get("next") ?? undefined;
      answerJson(response, 200, await listRecords(metering.store, { account, from, to, functionName, after }));
      return;
    }
    const by = parseDimensions(query.get("by") ?? "");
    answerJson(response, 200, { by, rows: await reportUsage(metering.store, { account, from, to, by }) });
  };

  const explain = async (explaining: ExplainApi, request: HttpRequest, response: HttpResponse): Promise<void> => {
    const { account, region } = await authorize(needs, request, "cumulet:Explain");
    answerJson(response, 200, await explaining.answer(queryOf(request), { account, region, now: clock.now() }));
  };

  const readOutbox = async (request: HttpRequest, response: HttpResponse): Promise<void> => {
    const { account } = await authorize(needs, request, "cumulet:ReadOutbox");
    const asked = Number(queryOf(request).get("limit") ?? "20");
    const limit = Number.isInteger(asked) ? Math.min(Math.max(asked, 1), outboxMessagesMax) : 20;
    answerJson(response, 200, { messages: (await needs.outbox?.(account, limit)) ?? [] });
  };

  const develop = async (path: string, request: HttpRequest, response: HttpResponse): Promise<void> => {
    const { type, account } = await authorize(needs, request, "cumulet:Develop");
    if (type !== "root" || account !== needs.account) {
      throw new AwsError("AccessDeniedException", 403, "Only the root of this installation may do this");
    }
    await needs.developer?.run(path, queryOf(request), request, response);
  };

  const failed = (error: unknown, response: HttpResponse): void => {
    if (response.headersSent) response.destroy();
    else if (error instanceof AwsError)
      answerJson(response, error.status, { code: error.code, message: error.message });
    else if (error instanceof UsageQueryError) {
      answerJson(response, 400, { code: "ValidationException", message: error.message });
    } else {
      log.error("A request of the platform's own API failed", { error });
      answerJson(response, 500, { message: "Internal error" });
    }
  };

  return {
    handle(path, request, response) {
      if (needs.developer?.paths.has(path) === true) {
        develop(path, request, response).catch((error: unknown) => failed(error, response));
        return true;
      }
      if (path === explainPath && needs.explain && request.method === "GET") {
        explain(needs.explain, request, response).catch((error: unknown) => failed(error, response));
        return true;
      }
      if (path === outboxPath && needs.outbox && request.method === "GET") {
        readOutbox(request, response).catch((error: unknown) => failed(error, response));
        return true;
      }
      const single = path === "/_cumulet/usage/records";
      if (path !== metricsPath && path !== "/_cumulet/usage" && !single) return false;
      if (request.method !== "GET" && request.method !== "HEAD") {
        answerJson(response, 405, { message: "Method Not Allowed" });
      } else if (path === metricsPath) metrics(request, response).catch((error: unknown) => failed(error, response));
      else usage(request, response, single).catch((error: unknown) => failed(error, response));
      return true;
    },
  };
}

/** Who signed the request, and may. */
async function authorize(
  needs: PlatformApiNeeds,
  request: HttpRequest,
  action: OwnAction,
): Promise<{ readonly type: Principal["type"]; readonly account: string; readonly region: string }> {
  const headers: [string, string][] = [];
  const { rawHeaders } = request;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    headers.push([(rawHeaders[index] ?? "").toLowerCase(), rawHeaders[index + 1] ?? ""]);
  }
  const sourceIp = sourceIpOf(request);
  const { principal, region } = await needs.verifier.verify(
    { method: request.method ?? "GET", target: request.url ?? "/", headers, sourceIp },
    "cumulet",
  );
  if (!("account" in principal)) {
    throw new AwsError("MissingAuthenticationToken", 403, "Missing Authentication Token");
  }
  await needs.authorizer.authorize(
    principal,
    { action, resource: "*" },
    {
      account: principal.account,
      region: region ?? needs.region,
      sourceIp,
      secureTransport: isEncrypted(request) || isLoopbackAddress(sourceIp),
      userAgent: request.headers["user-agent"] ?? "",
      now: needs.clock.now(),
    },
  );
  return { type: principal.type, account: principal.account, region: region ?? needs.region };
}

function queryOf(request: HttpRequest): URLSearchParams {
  const target = request.url ?? "";
  return new URLSearchParams(target.includes("?") ? target.slice(target.indexOf("?") + 1) : "");
}

function timeOf(text: string | null, otherwise: number): number {
  if (text === null) return otherwise;
  const at = /^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isNaN(at)) throw new UsageQueryError(`A time is ISO 8601 or epoch milliseconds, not ${text.slice(0, 40)}`);
  return at;
}

function answerJson(response: HttpResponse, status: number, value: object): void {
  const body = JSON.stringify(value);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(body);
}
