import type { IncomingMessage, ServerResponse } from "node:http";
import type { Authorizer } from "../../access/authorization.ts";
import type { Verifier } from "../../access/verifier.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Ids } from "../../kernel/ids.ts";
import type { Log } from "../../kernel/log.ts";
import type { Store } from "../../kernel/store/store.ts";
import type { Collector } from "../../metering/exposition.ts";
import type { MetricsPort } from "../cloudwatch/port.ts";
import type { LambdaPort } from "../lambda/port.ts";
import { createInvokeAccess } from "./access.ts";
import { compileHttpStage } from "./http/stage.ts";
import { answerForbidden, answerInternalError, answerNotFound } from "./answers.ts";
import type { DomainEntry, ExecuteApiPort, ModelChecker, StagePublisher } from "./port.ts";
import { type CompiledApi, stagePublisher, watchPublishedStages } from "./published-stages.ts";
import { createRequestIdentities } from "../../proxy/request-identity.ts";
import { compileRestStage } from "./rest/stage.ts";
import { createStageMeters } from "./stage-meter.ts";
import type { StageNeeds } from "./stage-needs.ts";
import { modelChecker } from "./validation/json-schema.ts";

export interface ExecuteApiNeeds {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly lambda: LambdaPort;
  readonly verifier: Verifier;
  readonly authorizer: Authorizer;
  readonly metrics: MetricsPort;
}

export interface ExecuteApi {
  readonly port: ExecuteApiPort;
  readonly publisher: StagePublisher;
  readonly models: ModelChecker;
  /** Requests by stage, for Prometheus. */
  readonly collect: Collector;
  stop(): void;
}

/** Build the data plane: it answers as soon as it is made, and follows what the control planes publish. */
export function createExecuteApi(needs: ExecuteApiNeeds): ExecuteApi {
  const stageNeeds: StageNeeds = {
    lambda: needs.lambda,
    clock: needs.clock,
    log: needs.log,
    identities: createRequestIdentities(needs.ids),
    access: createInvokeAccess(needs.verifier, needs.authorizer),
  };
  const meters = createStageMeters(needs);
  const published = watchPublishedStages(needs.store, (stage) => {
    const metered = { ...stageNeeds, meter: meters.of(stage) };
    return stage.kind === "rest" ? compileRestStage(metered, stage) : compileHttpStage(metered, stage);
  });
  const port: ExecuteApiPort = {
    handle: (apiId, target, request, response, entry) => {
      const api = published.find(apiId);
      if (api !== undefined) {
        answer(api, target, request, response, entry);
        return;
      }
      published.load(apiId).then(
        (loaded) => answer(loaded, target, request, response, entry),
        (error: unknown) => {
          needs.log.error("A published API could not be loaded", { apiId, error });
          answerInternalError(response);
        },
      );
    },
  };
  const stop = () => {
    published.stop();
    meters.stop();
  };
  return { port, publisher: stagePublisher, models: modelChecker, collect: meters.collect, stop };
}

function answer(
  api: CompiledApi,
  target: string,
  request: IncomingMessage,
  response: ServerResponse,
  entry: DomainEntry | undefined,
): void {
  if (entry !== undefined) return answerWithin(api, target, request, response, entry);
  const mark = target.indexOf("?");
  const fullPath = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? "" : target.slice(mark + 1);
  const slash = fullPath.indexOf("/", 1);
  const first = slash === -1 ? fullPath.slice(1) : fullPath.slice(1, slash);
  const stage = first === "$default" ? undefined : api.stages.get(first);
  if (api.endpointIsDisabled && api.kind === "http") {
    answerNotFound(response);
  } else if (stage !== undefined && !api.endpointIsDisabled) {
    stage.answer(request, response, { path: slash === -1 ? "/" : fullPath.slice(slash), fullPath, query });
  } else if (api.kind === "http") {
    const fallback = api.stages.get("$default");
    const path = fullPath === "" ? "/" : fullPath;
    if (fallback === undefined) answerNotFound(response);
    else fallback.answer(request, response, { path, fullPath: path, query });
  } else {
    answerForbidden(response);
  }
}

/** A request by a custom domain name, which may name the stage and hides the default endpoint's state. */
function answerWithin(
  api: CompiledApi,
  target: string,
  request: IncomingMessage,
  response: ServerResponse,
  { stageName, fullPath, domain }: DomainEntry,
): void {
  const mark = target.indexOf("?");
  const path = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? "" : target.slice(mark + 1);
  const slash = stageName === undefined ? path.indexOf("/", 1) : 0;
  const named = stageName ?? (slash === -1 ? path.slice(1) : path.slice(1, slash));
  const stage = api.stages.get(named);
  if (stage !== undefined) {
    stage.answer(request, response, { path: slash === -1 ? "/" : path.slice(slash), fullPath, query, domain });
  } else if (api.kind === "http") answerNotFound(response);
  else answerForbidden(response);
}
