import type { FunctionSpec, LogLine } from "../compute/compute.ts";
import type { Clock } from "../kernel/clock.ts";
import type { ExecuteApiPort } from "../services/execute-api/port.ts";
import type { FunctionUrlPort } from "../services/lambda/port.ts";

/** What happens now, for whoever watches: nothing is kept, and nothing is done while nobody does. */
export interface LiveFeed {
  log(spec: FunctionSpec, lines: readonly LogLine[]): void;
  /** The same port, whose requests are told when they have been answered. */
  watchApis(port: ExecuteApiPort): ExecuteApiPort;
  watchUrls(port: FunctionUrlPort): FunctionUrlPort;
  /** The returned function ends it. */
  subscribe(subscriber: (event: LiveEvent) => void): () => void;
}

export type LiveEvent =
  | {
      readonly kind: "log";
      readonly account: string;
      readonly region: string;
      readonly functionName: string;
      readonly timestamp: number;
      readonly message: string;
    }
  | {
      readonly kind: "request";
      /** Of the API or of the function URL. */
      readonly id: string;
      readonly method: string;
      /** Path and query after what addressed the API. */
      readonly target: string;
      readonly status: number;
      readonly ms: number;
    };

export function createLiveFeed(clock: Pick<Clock, "now">): LiveFeed {
  const subscribers = new Set<(event: LiveEvent) => void>();
  const publish = (event: LiveEvent) => {
    for (const subscriber of subscribers) subscriber(event);
  };
  const watch = <Port extends ExecuteApiPort>(port: Port): ExecuteApiPort => ({
    handle(id, target, request, response, entry) {
      if (subscribers.size > 0) {
        const startedAt = clock.now();
        response.once("close", () =>
          publish({
            kind: "request",
            id,
            method: request.method ?? "",
            target: target === "" ? "/" : target,
            status: response.statusCode,
            ms: clock.now() - startedAt,
          }),
        );
      }
      port.handle(id, target, request, response, entry);
    },
  });
  return {
    log(spec, lines) {
      if (subscribers.size === 0) return;
      const { account, region, functionName } = spec;
      for (const { timestamp, message } of lines) {
        publish({ kind: "log", account, region, functionName, timestamp, message });
      }
    },
    watchApis: watch,
    watchUrls: watch,
    subscribe(subscriber) {
      subscribers.add(subscriber);
      return () => subscribers.delete(subscriber);
    },
  };
}
