import type { Authorizer } from "../../access/authorization.ts";
import { createTokenIssuers, type OwnIssuers, type TokenIssuers } from "../../access/tokens/issuers.ts";
import type { Seal } from "../../access/server-keys.ts";
import type { Verifier } from "../../access/verifier.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Ids } from "../../kernel/ids.ts";
import type { Jobs } from "../../kernel/jobs/jobs.ts";
import type { Log } from "../../kernel/log.ts";
import type { Nodes } from "../../kernel/nodes/nodes.ts";
import type { Store } from "../../kernel/store/store.ts";
import type { Collector } from "../../metering/exposition.ts";
import type { HttpRequest, HttpResponse } from "../../proxy/http-exchange.ts";
import type { InnerApi } from "../../wire/service.ts";
import type { MetricsPort } from "../cloudwatch/port.ts";
import type { IamPort } from "../iam/port.ts";
import type { LambdaPort } from "../lambda/port.ts";
import { createInvokeAccess } from "./access.ts";
import type { AuthorizerNeeds } from "./authorizers/authorizer-needs.ts";
import { createRemembered } from "./authorizers/remembered.ts";
import { createAuthorizerTester } from "./authorizers/test-authorizer.ts";
import { fetchJsonFrom } from "./authorizers/issuer-documents.ts";
import { guard } from "./guard.ts";
import { compileHttpStage } from "./http/stage.ts";
import { createAddressRules } from "./integrations/addresses.ts";
import { createAssumedRoles } from "./integrations/assumed-roles.ts";
import { serviceSubtypes } from "./integrations/service-subtypes.ts";
import { createUpstream, type Upstream } from "./integrations/upstream.ts";
import { answerForbidden, answerInternalError, answerNotFound } from "./answers.ts";
import type {
  DomainEntry,
  ExecuteApiPort,
  ModelChecker,
  ServiceSubtype,
  StagePublisher,
  UsagePort,
  TestAuthorizer,
  TestMethod,
} from "./port.ts";
import { type CompiledApi, sealPublishedKeys, stagePublisher, watchPublishedStages } from "./published-stages.ts";
import { createRequestIdentities } from "../../proxy/request-identity.ts";
import { compileRestStage } from "./rest/stage.ts";
import { createMethodTester } from "./rest/test-method.ts";
import type { LogsPort } from "../logs/port.ts";
import { createGatewayLogs } from "./logging/gateway-logs.ts";
import { createStageMeters } from "./stage-meter.ts";
import type { StageNeeds } from "./stage-needs.ts";
import { compileCanaryStage } from "./canary/canary-stage.ts";
import { createStageCaches } from "./caching/stage-caches.ts";
import { createLimits, type LimitsNeeds } from "./throttling/stage-limits.ts";
import { createUsagePort } from "./throttling/usage-port.ts";
import { createWebSocketMeters } from "./websocket/meter.ts";
import { compileKeyChoice, parseSelectionExpression } from "./websocket/selection.ts";
import { compileWebSocketStage } from "./websocket/stage.ts";
import { createWebSockets, type WebSockets } from "./websocket/web-sockets.ts";
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
  /** Absent: stages write no logs. */
  readonly logs?: Pick<LogsPort, "append">;
  /** How limits hold beyond this process. Default: it is alone, and nothing comes after it. */
  readonly limits?: Pick<LimitsNeeds, "nodes" | "remains" | "accountRate">;
  readonly jobs: Jobs;
  readonly nodes: Pick<Nodes, "id" | "isLive" | "renewed" | "underLease" | "watch">;
  /** Roles that integrations and authorizers call with. */
  readonly assumeRole: IamPort["assumeRole"];
  /** The issuer of a user pool's tokens. */
  readonly issuerOf: AuthorizerNeeds["issuerOf"];
  /** Keys of issuers of this platform. Absent: it has none. */
  readonly ownIssuers?: OwnIssuers;
  /** Seals the keys of client certificates. */
  readonly seal: Seal;
  /** The AWS APIs of the platform, for integrations with its services. */
  readonly innerApi: InnerApi;
  /** Whether integrations reach what listens on this host's loopback. */
  readonly allowLoopback: boolean;
}

export interface ExecuteApi {
  readonly port: ExecuteApiPort;
  readonly publisher: StagePublisher;
  readonly usage: UsagePort;
  readonly models: ModelChecker;
  /** Keys that tokens are signed with, of issuers anywhere. */
  readonly issuers: TokenIssuers;
  /** Calls of HTTP endpoints, to wherever integrations may reach. */
  readonly upstream: Pick<Upstream, "send">;
  readonly testAuthorizer: TestAuthorizer;
  readonly testMethod: TestMethod;
  /** Operations that routes of HTTP APIs can be integrated with, by name. */
  readonly subtypes: ReadonlyMap<string, ServiceSubtype>;
  /** To be started once this node is registered, and stopped before what its routes call. */
  readonly webSockets: Pick<WebSockets, "connections" | "port" | "start" | "stop">;
  /** Whether a route, or a model or template of a message or an answer, can be selected by an expression. */
  readonly isSelectionExpression: (expression: string, of: "route" | "message" | "answer") => boolean;
  /** Requests by stage, for Prometheus. */
  readonly collect: Collector;
  /** Before requests come: seal what was kept in clear, and count what processes that were killed had let through. */
  recover(): Promise<void>;
  stop(): void;
  /** After `stop`, while the store is open: tell it what was let through. */
  settle(): Promise<void>;
}

/** Build the data plane: it answers as soon as it is made, and follows what the control planes publish. */
export function createExecuteApi(needs: ExecuteApiNeeds): ExecuteApi {
  const upstream = createUpstream(needs.clock, createAddressRules(needs.allowLoopback));
  const issuers = createTokenIssuers({
    clock: needs.clock,
    log: needs.log,
    fetchJson: fetchJsonFrom(upstream),
    ...(needs.ownIssuers && { own: needs.ownIssuers }),
  });
  const limiting = createLimits({
    store: needs.store,
    clock: needs.clock,
    ids: needs.ids,
    log: needs.log,
    ...needs.limits,
  });
  const stageNeeds: StageNeeds = {
    ...(needs.logs && { logs: createGatewayLogs(needs.logs, needs.ids) }),
    lambda: needs.lambda,
    clock: needs.clock,
    log: needs.log,
    identities: createRequestIdentities(needs.ids),
    access: createInvokeAccess(needs.verifier, needs.authorizer, needs.clock),
    limits: limiting.limits,
    caches: createStageCaches(),
    seal: needs.seal,
    integrations: { upstream, innerApi: needs.innerApi, roles: createAssumedRoles(needs.assumeRole, needs.clock) },
    authorizers: {
      issuerOf: needs.issuerOf,
      issuers,
      remembered: createRemembered(),
    },
  };
  const meters = createStageMeters(needs);
  const webSocketMeters = createWebSocketMeters(needs);
  const drawEvenly = () => Buffer.from(needs.ids.bytes(4)).readUInt32LE() / 2 ** 32;
  const published = watchPublishedStages(needs.store, (stage) => {
    if (stage.kind === "websocket") {
      const webSocketMeter = webSocketMeters.of(stage);
      return compileWebSocketStage({ ...stageNeeds, webSocketMeter }, stage, webSockets.answer);
    }
    const metered = { ...stageNeeds, meter: meters.of(stage) };
    return stage.kind === "rest"
      ? compileCanaryStage(stage, (each) => compileRestStage(metered, each), drawEvenly)
      : compileHttpStage(metered, stage);
  });
  const webSockets = createWebSockets({
    ...needs,
    throttles: limiting.limits.throttles,
    stageOf: (apiId, stageName) => {
      const api = published.find(apiId);
      if (api !== undefined) return api.stages.get(stageName)?.webSocket;
      return published.load(apiId).then((loaded) => loaded.stages.get(stageName)?.webSocket);
    },
  });
  const port: ExecuteApiPort = {
    handle: (apiId, target, request, response, entry) => {
      const api = published.find(apiId);
      if (api !== undefined) {
        guard(needs.log, response, () => answer(api, target, request, response, entry));
        return;
      }
      published.load(apiId).then(
        (loaded) => guard(needs.log, response, () => answer(loaded, target, request, response, entry)),
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
    webSocketMeters.stop();
    upstream.stop();
  };
  return {
    port,
    webSockets,
    isSelectionExpression: (expression, of) =>
      (of === "route" ? parseSelectionExpression(expression) : compileKeyChoice(expression, of)) !== undefined,
    publisher: stagePublisher,
    usage: createUsagePort(limiting.flush, needs.limits?.accountRate),
    models: modelChecker,
    issuers,
    upstream,
    testAuthorizer: createAuthorizerTester(stageNeeds),
    testMethod: createMethodTester(stageNeeds),
    subtypes: serviceSubtypes,
    collect: meters.collect,
    recover: async () => {
      await sealPublishedKeys(needs.store, needs.seal);
      await limiting.recover();
    },
    stop,
    settle: limiting.stop,
  };
}

function answer(
  api: CompiledApi,
  target: string,
  request: HttpRequest,
  response: HttpResponse,
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
  request: HttpRequest,
  response: HttpResponse,
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
