import type * as LogsSdk from "@aws-sdk/client-cloudwatch-logs";
import type * as CognitoIdpSdk from "@aws-sdk/client-cognito-identity-provider";
import type * as EcrSdk from "@aws-sdk/client-ecr";
import type * as LambdaSdk from "@aws-sdk/client-lambda";
import type * as S3Sdk from "@aws-sdk/client-s3";
import { createAuthorizer } from "./access/authorize.ts";
import { createDenialJournal } from "./access/denials/journal.ts";
import { handleDenialRetention, scheduleDenialRetention } from "./access/denials/retention.ts";
import { openGuardRails } from "./access/guard-rails.ts";
import { firstOf } from "./access/credential-source.ts";
import { createPolicyCompiler } from "./access/policy/compile.ts";
import { openKeys } from "./access/open-keys.ts";
import { joinIssuers } from "./access/tokens/issuers.ts";
import { followRoot } from "./access/live-root.ts";
import { writeRootCredentials } from "./access/root.ts";
import { createSessions } from "./access/sessions.ts";
import { createFormVerifier } from "./access/verify-form.ts";
import { createVerifier } from "./access/verify.ts";
import type { Compute, ComputeCapabilities } from "./compute/compute.ts";
import { createCompute } from "./compute/create-compute.ts";
import { computeLimits } from "./compute/limits.ts";
import { isLoopback, type Config } from "./config.ts";
import { createExplainApi } from "./front/explain-api.ts";
import { createDeveloperApi } from "./front/developer-api.ts";
import { createFront } from "./front/front.ts";
import { createInnerApi } from "./front/inner-api.ts";
import { createLiveFeed } from "./front/live-feed.ts";
import { createPlatformApi } from "./front/platform-api.ts";
import { shareFeed } from "./front/shared-feed.ts";
import { createReadiness } from "./front/readiness.ts";
import { openTls } from "./front/tls.ts";
import { scheduleBlobCollection } from "./kernel/blobs/collect-job.ts";
import { assertComplete } from "./kernel/backup/incomplete.ts";
import { createS3Blobs } from "./kernel/blobs/s3-blobs.ts";
import { createBlobs } from "./kernel/blobs/stored-blobs.ts";
import { steadyClock, systemClock, type Clock } from "./kernel/clock.ts";
import { randomIds, type Ids } from "./kernel/ids.ts";
import { createProcessOwners } from "./kernel/jobs/process-owners.ts";
import { createJobs } from "./kernel/jobs/stored-jobs.ts";
import type { Jobs } from "./kernel/jobs/jobs.ts";
import { createLog, type Log } from "./kernel/log.ts";
import { createNodes } from "./kernel/nodes/create-nodes.ts";
import type { Nodes } from "./kernel/nodes/nodes.ts";
import { createShares } from "./kernel/nodes/create-shares.ts";
import { createSettledStore } from "./kernel/nodes/settled-store.ts";
import { hasEnded, thisProcess } from "./kernel/process-identity.ts";
import { openLmdbStore } from "./kernel/store/lmdb-store.ts";
import type { Store } from "./kernel/store/store.ts";
import { createLedger } from "./metering/ledger.ts";
import { openMetricsToken } from "./metering/metrics-token.ts";
import { collectJobs } from "./metering/job-metrics.ts";
import { collectNode } from "./metering/node-metrics.ts";
import { collectProcess } from "./metering/process-metrics.ts";
import { timeStore } from "./metering/store-metrics.ts";
import { handleUsageRetention, scheduleUsageRetention } from "./metering/retention.ts";
import { apiGatewayFacts } from "./services/apigateway/resource-facts.ts";
import { createApiGateway } from "./services/apigateway/service.ts";
import { createApiGatewayManagementApi } from "./services/apigatewaymanagementapi/service.ts";
import { apiGatewayV2Facts } from "./services/apigatewayv2/resource-facts.ts";
import { type ApiGatewayV2, createApiGatewayV2 } from "./services/apigatewayv2/service.ts";
import type { ResourceType } from "./services/cloudformation/port.ts";
import { cloudformationFacts } from "./services/cloudformation/resource-facts.ts";
import { createCloudFormation } from "./services/cloudformation/service.ts";
import { createCognitoIdp } from "./services/cognito-idp/service.ts";
import { createCloudTrail } from "./services/cloudtrail/service.ts";
import { createCloudWatch } from "./services/cloudwatch/service.ts";
import { dynamodbFacts } from "./services/dynamodb/resource-facts.ts";
import { createDynamoDb } from "./services/dynamodb/service.ts";
import { createDynamoDbStreams } from "./services/dynamodbstreams/service.ts";
import { createEcr } from "./services/ecr/service.ts";
import { createCognitoIdentity } from "./services/cognito-identity/service.ts";
import { domainFacts } from "./services/execute-api/domains/resource-facts.ts";
import { createDomains } from "./services/execute-api/domains/create-domains.ts";
import { poolIssuers } from "./services/execute-api/authorizers/pool-issuer.ts";
import { createExecuteApi } from "./services/execute-api/service.ts";
import { iamFacts } from "./services/iam/resource-facts.ts";
import { createIam } from "./services/iam/service.ts";
import { createExecutionRoles } from "./services/lambda/execution-role.ts";
import { createFunctionMeter } from "./services/lambda/meter.ts";
import { toMetricData } from "./services/lambda/metrics.ts";
import { lambdaFacts } from "./services/lambda/resource-facts.ts";
import { createLambda } from "./services/lambda/service.ts";
import { logsFacts } from "./services/logs/resource-facts.ts";
import { createLogs } from "./services/logs/service.ts";
import { s3Facts } from "./services/s3/resource-facts.ts";
import { createS3 } from "./services/s3/service.ts";
import { createSts } from "./services/sts/service.ts";
import { createProxyTrust } from "./proxy/client-address.ts";
import { createServiceDirectory } from "./wire/directory.ts";
import type { CallObserver } from "./wire/observer.ts";
import type { Service } from "./wire/service.ts";
import { createModels } from "./wire/tables/catalog.ts";
import { gatherMetrics } from "./workers/metrics.ts";
import { shareOfHost } from "./workers/share.ts";
import { noSiblings } from "./workers/siblings.ts";
import type { WorkerTie } from "./workers/worker.ts";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

/** A running platform: everything built and connected. */
export interface Platform {
  /** Listen and begin background work. */
  start(): Promise<{ readonly endpoint: string; readonly port: number }>;
  /** Not ready any more, for load balancers to see; requests are still answered. */
  drain(): void;
  /** Read the files of the certificate again, now rather than within seconds. Absent without TLS. */
  readonly reloadCertificate?: () => Promise<void>;
  /** Finish what is under way, at the most for so long, then let go of everything. */
  stop(graceMs: number): Promise<void>;
  /** Whether functions run isolated from this host. */
  isolates(): Promise<boolean>;
  readonly jobs: Jobs;
  readonly store: Store;
  readonly nodes: Nodes;
  /** Every service that is built, by name: for the coverage page. */
  readonly services: ReadonlyMap<string, Service>;
  /** Every CloudFormation resource type that is built. */
  readonly resourceTypes: readonly ResourceType[];
}

/** What tests replace. */
export interface PlatformParts {
  readonly writeLog: (line: string) => void;
  readonly clock?: Clock;
  readonly ids?: Ids;
  readonly store?: Store;
  /** Where this process is one of several on the data folder: what it shares with them. */
  readonly worker?: Pick<WorkerTie, "siblings" | "instance" | "supervisor" | "port" | "serve">;
}

/** Builds the system. What it has opened is closed when it fails. */
export async function createPlatform(config: Config, parts: PlatformParts): Promise<Platform> {
  const opened: (() => Promise<void>)[] = [];
  try {
    return await buildPlatform(config, parts, (close) => opened.push(close));
  } catch (error) {
    // What is wrong is the first failure, whatever closing says.
    for (const close of opened.toReversed()) await close().catch(() => {});
    throw error;
  }
}

/** Each part after those it needs. */
async function buildPlatform(
  config: Config,
  parts: PlatformParts,
  hasOpened: (close: () => Promise<void>) => void,
): Promise<Platform> {
  const { dataDir } = config;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });

  // Kernel
  const clock = parts.clock ?? systemClock;
  const ids = parts.ids ?? randomIds;
  const log = createLog(config.logLevel, parts.writeLog, () => clock.now());
  const tls = config.tls && (await openTls(config.tls, { clock, log }));
  const timed = timeStore(parts.store ?? (await openStore(config, clock, log)));
  const { store } = timed;
  hasOpened(() => store.close());
  await assertComplete(store);
  const blobs = await createBlobs({
    store,
    clock,
    ids,
    folder: join(dataDir, "blobs"),
    place: config.blobs.kind,
    ...(config.blobs.kind === "s3" && { s3: createS3Blobs(config.blobs.location, systemClock) }),
  });
  const jobs = createJobs({ store, clock, ids, log, owners: createProcessOwners(ids) });
  // Real time in tests, too: it decides whether a process may answer, and nothing that is stored.
  const nodes = createNodes({ store, clock: steadyClock, ids: randomIds, log, hasEnded, ...thisProcess() });
  const shares = createShares({ store, nodes, clock: steadyClock, log });
  const settledStore = createSettledStore(store, nodes, keptInMemory);
  await scheduleBlobCollection({ blobs, jobs, store, clock });

  // Wire: the services find each other in a map that is complete once all are built.
  const services = new Map<string, Service>();
  const models = createModels();

  // Access
  const { keys, root: rootCredentials } = await openKeys({
    dataDir,
    store,
    isShared: config.store.kind !== "embedded",
    serverKey: { text: config.serverKey, file: config.secretFiles.serverKey },
    credentialsFile: config.secretFiles.credentials,
    ids,
    log,
  });
  const sessions = createSessions({ keys, ids });
  const compile = createPolicyCompiler();
  const root = followRoot({
    store,
    keys,
    account: config.account,
    credentials: rootCredentials,
    log,
    ...(config.secretFiles.credentials === undefined && {
      keep: (credentials) => writeRootCredentials(dataDir, credentials),
    }),
  });
  const guardRails = await openGuardRails(config.guardRailsFile, compile);
  const iam = createIam({ store: settledStore, ids, keys, compile, sessions, guardRails, now: () => clock.now() });
  const denials = createDenialJournal({ store, clock, log });
  handleDenialRetention({ store, jobs, clock });
  const resourceFacts = [
    iamFacts(store),
    logsFacts(store),
    s3Facts(store),
    dynamodbFacts(store),
    lambdaFacts(store),
    apiGatewayFacts(store),
    apiGatewayV2Facts(store),
    domainFacts(store),
    cloudformationFacts(store),
  ];
  const deciding = { identities: iam.identities, compile, guardRails, resourceFacts };
  const authorizer = createAuthorizer({ ...deciding, log, denials });
  const sts = createSts({
    iam: iam.port,
    sessions,
    authorizer,
    // The gateway's: keys are remembered once.
    issuers: { findKey: (issuer, kid) => executeApi.issuers.findKey(issuer, kid) },
    findRootAccount: root.findAccount,
  });
  const credentials = {
    now: () => clock.now(),
    accessKeys: firstOf([root, iam.accessKeys]),
    sessions,
    ...(config.dev ? { dev: { account: config.account } } : {}),
  };
  const verifier = createVerifier(credentials);
  const cloudtrail = createCloudTrail({ store, jobs, clock, ids, log });
  const observer: CallObserver = { ...cloudtrail.trail, used: iam.noteUse };
  const directory = createServiceDirectory({ services, models, authorizer, observer, clock, ids });

  // Who shares this port and data folder: what one has not committed yet belongs to every answer about all.
  const siblings = parts.worker?.siblings ?? noSiblings();
  siblings.answer("flush", () => {
    meter.tell();
    return Promise.all([ledger.flush(), denials.flush()]).then(() => undefined);
  });
  const flushAll = async () => void (await siblings.ask("flush"));

  // Services
  const s3 = createS3({
    store,
    blobs,
    clock,
    ids,
    jobs,
    log,
    lambda: (as) => directory.client<typeof LambdaSdk>("lambda", as),
  });
  const cloudwatch = createCloudWatch({
    store,
    jobs,
    clock,
    ids,
    log,
    beforeRead: flushAll,
  });
  const logs = createLogs({
    store,
    jobs,
    clock,
    ids,
    log,
    metrics: cloudwatch.port,
    lambda: (as) => directory.client<typeof LambdaSdk>("lambda", as),
  });
  const ledger = createLedger({
    store,
    clock,
    ids,
    log,
    dataDir,
    follow: (tx, uses) => cloudwatch.port.write(tx, toMetricData(uses)),
  });
  handleUsageRetention({ store, jobs, clock });
  const meter = createFunctionMeter({ ledger, metrics: cloudwatch.port, clock });
  let port = parts.worker?.port ?? 0;
  const feed = shareFeed(createLiveFeed(clock), siblings);
  const compute = await createCompute({
    clock,
    ids,
    programLog: log,
    dataDir,
    driver: config.sandbox,
    endpointPort: () => port,
    ...(parts.worker && {
      instance: parts.worker.instance,
      supervisor: parts.worker.supervisor,
      limits: shareOfHost(computeLimits, config.workers),
    }),
    credentials: createExecutionRoles(iam.port),
    log: (spec, logStream, events) => {
      logs.port.append({ account: spec.account, region: spec.region, logGroup: spec.logGroup, logStream, events });
      cloudwatch.readLog(spec, events);
      feed.log(spec, events);
    },
  });
  hasOpened(() => compute.stop(0));
  const dynamodb = createDynamoDb({
    store,
    settledStore,
    jobs,
    clock,
    ids,
    log,
    metrics: cloudwatch.port,
    logs: logs.port,
    s3: (as) => directory.client<typeof S3Sdk>("s3", as),
  });
  const dynamodbStreams = createDynamoDbStreams(dynamodb);
  const ecr = createEcr({ store, blobs, jobs, clock, ids, log, authorizer, seal: keys.registry });
  const lambda = createLambda({
    store: settledStore,
    blobs,
    jobs,
    clock,
    ids,
    log,
    compute: meter.meter(compute),
    nodes,
    shares,
    isDebugged: compute.workbench.isDebugged,
    note: meter.note,
    metrics: cloudwatch.port,
    streams: dynamodb.streams,
    iam: iam.port,
    authorizer,
    verifier,
    s3: (as) => directory.client<typeof S3Sdk>("s3", as),
    ecr: ecr.port,
    ecrClient: (as) => directory.client<typeof EcrSdk>("ecr", as),
    dataDir,
  });
  const domains = createDomains({
    store: settledStore,
    clock,
    ids,
    log,
    seal: keys.records,
    certificatesFolder: config.certificatesFolder,
    s3: (as) => directory.client<typeof S3Sdk>("s3", as),
    ownHosts: [config.host, ...(tls?.names ?? [])],
    findHost: (host) => cognitoIdp.customHosts.find(host),
    isElsewhere: (reader, host) => cognitoIdp.holdsHost(reader, host),
  });
  const cognitoIdp = createCognitoIdp({
    store,
    jobs,
    clock,
    ids,
    log,
    seal: keys.records,
    lambda: lambda.port,
    iam: iam.port,
    logs: (as) => directory.client<typeof LogsSdk>("logs", { ...as, endpoint: `http://127.0.0.1:${port}` }),
    hosts: domains.hosts,
    ...(config.userPoolIssuer !== undefined && { issuer: config.userPoolIssuer }),
    ...(config.smtpUrl !== undefined && { smtpUrl: config.smtpUrl }),
    api: (endpoint) =>
      directory.client<typeof CognitoIdpSdk>("cognito-idp", {
        principal: { type: "anonymous" },
        account: config.account,
        region: config.region,
        endpoint,
      }),
    outbound: { send: (request, done) => executeApi.upstream.send(request, done) },
  });
  const cognitoIdentity = createCognitoIdentity({
    store,
    jobs,
    clock,
    ids,
    iam: iam.port,
    sts: sts.port,
    userPools: cognitoIdp.port,
    issuers: {
      findKey: (issuer, kid) => executeApi.issuers.findKey(issuer, kid),
      isSame: cognitoIdp.issuers.isSame,
    },
    seal: keys.records,
  });
  const executeApi = createExecuteApi({
    store,
    clock,
    ids,
    log,
    jobs,
    nodes,
    lambda: lambda.port,
    verifier,
    authorizer,
    metrics: cloudwatch.port,
    logs: logs.port,
    assumeRole: iam.port.assumeRole,
    seal: keys.records,
    issuerOf: poolIssuers(config.userPoolIssuers),
    ownIssuers: joinIssuers([cognitoIdp.issuers, cognitoIdentity.issuers]),
    innerApi: createInnerApi({ services, models, authorizer, observer, clock, log }),
    // Where clients are on this host, endpoints on it are no further than the clients could reach themselves.
    allowLoopback: isLoopback(config.host),
    limits: {
      nodes: { live: () => nodes.live(), isDivided: () => shares.isDivided() },
      ...withRemains(dataDir),
      accountRate: config.apiThrottle,
    },
  });
  const apigateway = createApiGateway({
    store: settledStore,
    iam: iam.port,
    ids,
    publisher: executeApi.publisher,
    usage: executeApi.usage,
    models: executeApi.models,
    testAuthorizer: executeApi.testAuthorizer,
    testMethod: executeApi.testMethod,
    seal: keys.records,
    domains: domains.port,
    usesClientCertificate: (reader, place, id) => apigatewayv2.usesClientCertificate(reader, place, id),
  });
  const apigatewayv2: ApiGatewayV2 = createApiGatewayV2({
    store: settledStore,
    iam: iam.port,
    integrable: { subtypes: executeApi.subtypes, isBuilt: (name) => services.has(name) },
    isSelectionExpression: executeApi.isSelectionExpression,
    hasLoggingRole: apigateway.hasLoggingRole,
    readClientCertificate: apigateway.readClientCertificate,
    ids,
    publisher: executeApi.publisher,
    models: executeApi.models,
    domains: domains.port,
  });
  const managementApi = createApiGatewayManagementApi(executeApi.webSockets.connections);
  const resourceTypes = [
    iam,
    logs,
    s3,
    dynamodb,
    ecr,
    lambda,
    apigateway,
    apigatewayv2,
    cognitoIdp,
    cognitoIdentity,
  ].flatMap((slice) => slice.resourceTypes);
  const cloudformation = createCloudFormation({
    store,
    jobs,
    clock,
    ids,
    log,
    directory,
    iam: iam.port,
    seal: keys.records,
    functionEndpoint: () => `http://127.0.0.1:${port}`,
    resourceTypes,
    managedPolicies: iam.managedPolicies,
  });
  for (const { service } of [
    iam,
    sts,
    cloudtrail,
    logs,
    s3,
    cloudwatch,
    dynamodb,
    dynamodbStreams,
    ecr,
    lambda,
    apigateway,
    apigatewayv2,
    managementApi,
    cognitoIdp,
    cognitoIdentity,
    cloudformation,
  ])
    services.set(service.name, iam.keepPrincipals(service));

  const { account, region } = config;
  const { workbench } = compute;
  const collectors = [meter.collect, executeApi.collect, collectProcess(dataDir), collectNode(nodes), timed.collect];
  const collectJobMetrics = collectJobs(jobs);
  const gather = gatherMetrics(siblings, async () => [
    ...collectors.flatMap((collect) => collect()),
    ...(await collectJobMetrics()),
  ]);
  const platformApi = createPlatformApi({
    outbox: cognitoIdp.messages,
    developer: createDeveloperApi({ clock, feed, workbench, siblings, account, region, latest: lambda.latest }),
    explain: createExplainApi({ ...deciding, denials, directory, flush: flushAll }),
    verifier,
    authorizer,
    clock,
    log,
    account,
    region,
    metering: {
      store,
      flush: flushAll,
      gather,
      ...(config.metrics === "token" && {
        metricsToken: await openMetricsToken(dataDir, ids, config.secretFiles.metricsToken),
      }),
    },
  });
  const { providerAnswers } = cloudformation;
  const front = createFront({
    platformApi: {
      handle: (path, request, response) =>
        providerAnswers(path, request, response) || platformApi.handle(path, request, response),
    },
    readiness: createReadiness({ store, clock, isLive: () => nodes.isLive() }),
    nodes,
    ...(tls && { tls }),
    ...(config.trustedProxies.length > 0 && { trustProxies: createProxyTrust(config.trustedProxies) }),
    services,
    models,
    verifier,
    authorizer,
    observer,
    clock,
    ids,
    log,
    account: config.account,
    region: config.region,
    crossOrigin: s3.crossOrigin,
    site: s3.site,
    forms: { verify: createFormVerifier(credentials), post: s3.postObject },
    executeApi: feed.watchApis(executeApi.port),
    webSockets: executeApi.webSockets.port,
    customDomains: domains.custom,
    functionUrls: feed.watchUrls(lambda.functionUrls),
    userPools: cognitoIdp.http,
    userPoolHosts: cognitoIdp.customHosts,
    registry: ecr.registry,
    download: async (path) => ecr.downloadLayer(path) ?? lambda.downloadCode(path),
  });

  return {
    start: async () => {
      await startNode(nodes);
      await ledger.recover();
      await apigateway.recover();
      await executeApi.recover();
      await scheduleUsageRetention({ store, jobs, clock });
      await scheduleDenialRetention({ store, jobs, clock });
      await cloudwatch.start();
      await cognitoIdp.start();
      await cloudtrail.start();
      if (parts.worker === undefined) port = (await front.listen(config.port, config.host)).port;
      else parts.worker.serve(front.adopt());
      jobs.start();
      lambda.start();
      await executeApi.webSockets.start();
      return { endpoint: `${tls ? "https" : "http"}://${config.host}:${port}`, port };
    },
    drain: () => front.drain(),
    ...(tls && { reloadCertificate: () => tls.reload() }),
    stop: async (graceMs) => {
      // At the same time: the leases of what waits are given back at once, and what runs has the same grace.
      await Promise.all([executeApi.webSockets.stop(graceMs), front.stop(graceMs), jobs.stop(graceMs)]);
      executeApi.stop();
      await executeApi.settle();
      domains.stop();
      lambda.stop();
      await compute.stop(graceMs);
      await ledger.stop();
      await denials.flush();
      meter.tell();
      await logs.stop();
      await cloudwatch.stop();
      await cloudtrail.trail.flush();
      iam.stop();
      cognitoIdp.customHosts.stop();
      root.stop();
      shares.stop();
      await nodes.stop();
      await store.close();
    },
    isolates: async () => (await compute.capabilities()).driver.isolates,
    jobs,
    store,
    nodes,
    services,
    resourceTypes: [...resourceTypes, ...cloudformation.resourceTypes],
  };
}

/** Below these, nodes remember what they have read: a change is acknowledged when all have dropped it. */
const keptInMemory = [
  ["dynamodb", "table"],
  ["iam"],
  ["lambda"],
  ["execute-api", "domain"],
  ["execute-api", "stage"],
  ["execute-api", "usage"],
];

/** How a process tells those after it on the same machine what it had used of quotas. */
function withRemains(dataDir: string) {
  const { process } = thisProcess();
  return process === undefined ? {} : { remains: { dataDir, ...process } };
}

/** Nothing else keeps the process running yet. */
async function startNode(nodes: Nodes): Promise<void> {
  const running = setInterval(() => {}, 1000);
  try {
    await nodes.start();
  } finally {
    clearInterval(running);
  }
}

async function openStore(config: Config, clock: Clock, log: Log): Promise<Store> {
  if (config.store.kind === "embedded") return openLmdbStore({ folder: join(config.dataDir, "store"), clock });
  // Loaded only where it is used.
  const { openPostgresStore } = await import("./kernel/store/postgres-store.ts");
  return openPostgresStore({ url: config.store.url, log });
}

/** What this host can run and isolate, without starting a platform. */
export async function probeHost(config: Config): Promise<ComputeCapabilities> {
  const silent: Log = createLog("silent", () => {}, Date.now);
  const compute: Compute = await createCompute({
    clock: systemClock,
    ids: randomIds,
    programLog: silent,
    dataDir: config.dataDir,
    driver: config.sandbox,
    endpointPort: () => 0,
    credentials: () => Promise.reject(new Error("nothing is invoked")),
    log: () => {},
  });
  try {
    return await compute.capabilities();
  } finally {
    await compute.stop(0);
  }
}
