import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "../kernel/clock.ts";
import type { Ids } from "../kernel/ids.ts";
import type { Log } from "../kernel/log.ts";
import { createBlanks } from "./blanks.ts";
import type { Blanks } from "./blanks.ts";
import { createCompileCaches, type CompileCaches } from "./compile-caches.ts";
import { RuntimeUnavailableError } from "./compute.ts";
import type { ComputeNeeds, FunctionSpec, ImageSpec } from "./compute.ts";
import { createWorkbench } from "./debug/create-workbench.ts";
import { createConcurrentEnvironment } from "./concurrent/concurrent-environment.ts";
import { createFleets } from "./concurrent/fleets.ts";
import { createEnvironment } from "./environment.ts";
import type { Environment, EnvironmentNeeds, EnvironmentStart } from "./environment.ts";
import { createInterpreters, custom } from "./interpreters.ts";
import { createJavaRuntime } from "./java.ts";
import type { JavaRuntime } from "./java.ts";
import { extensionsIn } from "./extensions-folder.ts";
import { computeLimits } from "./limits.ts";
import type { ComputeLimits } from "./limits.ts";
import { createPool } from "./pool.ts";
import { createKeeper } from "./pool-kept.ts";
import { restoreFirst } from "./restoring-environment.ts";
import { detectHost } from "./sandbox/detect.ts";
import type { Host } from "./sandbox/detect.ts";
import { compiledPlace, type Dedication, type Sandbox } from "./sandbox/sandbox.ts";
import { usesRuntimeSdk } from "./sdk-use.ts";
import {
  environmentVariables,
  extensionVariables,
  imageVariables,
  variablesReadAtStart,
  wrapperVariable,
} from "./variables.ts";
import type { InitializationType, Places } from "./variables.ts";
import type { HostCompute } from "./workbench.ts";

export interface CreateComputeNeeds extends ComputeNeeds {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: ComputeNeeds["log"];
  /** The program's own log. */
  readonly programLog: Log;
  /** The server's data folder; functions must never see it. */
  readonly dataDir: string;
  /** Tells this compute layer from others on the host: eight hexadecimal digits. Random where nobody sees to it. */
  readonly instance?: string;
  /** The process that supervises this one and its siblings, where there is one. */
  readonly supervisor?: number;
  /** Parts of `computeLimits` to replace. */
  readonly limits?: Partial<ComputeLimits>;
  /** `auto` takes `namespaces` where they work. */
  readonly driver?: "auto" | "process" | "namespaces";
}

/** Finds out what this host can do when the first function is invoked, not before: start-up stays quick. */
export function createCompute(needs: CreateComputeNeeds): Promise<HostCompute> {
  const { clock, ids } = needs;
  const limits: ComputeLimits = { ...computeLimits, ...needs.limits };
  const runtimesDir = findRuntimes();
  const sdkDir = join(dirname(runtimesDir), "dist", "sdk", "node_modules");
  const interpreters = createInterpreters({ executable: process.execPath, version: process.version }, needs.dataDir);
  let java: JavaRuntime | undefined;
  let detected: Promise<{ host: Host; blanks: Blanks; compiled: CompileCaches }> | undefined;
  const host = () => (detected ??= detect());
  const pool = createPool({
    clock,
    limits,
    create: async (spec) => bench.adopt(spec, await createOnDemand(spec)),
  });
  const keeper = createKeeper({ clock, limits, create, pool });
  const fleets = createFleets({
    clock,
    limits,
    create: (spec) => making.add(make(spec, "lambda-managed-instances", createConcurrentEnvironment)),
  });
  const bench = createWorkbench({
    clock,
    ids,
    limits,
    pool,
    create: createOnDemand,
    interpreter: async (runtime) => (await prepared(runtime)).interpreter,
    isolates: async () => (await host()).host.driver.isolates,
  });

  function createOnDemand(spec: FunctionSpec): Promise<Environment> {
    return create(spec, spec.snapStart === true ? "snap-start" : "on-demand");
  }

  async function detect() {
    const { interpreter } = await interpreters.find("provided.al2023");
    const shape = { interpreter, memoryMb: 128, ephemeralStorageMb: 512 };
    const { endpointPort, dataDir } = needs;
    const found = await detectHost({
      instance: needs.instance ?? Buffer.from(ids.bytes(4)).toString("hex"),
      supervisor: needs.supervisor,
      wanted: needs.driver ?? "auto",
      limits,
      runtimesDir,
      sdkDir: existsSync(sdkDir) ? sdkDir : undefined,
      dataDir,
      endpointPort,
      shape,
    });
    const fields = { driver: found.driver.name, network: found.network.name, cgroups: found.cgroups.name };
    if (found.driver.isolates) needs.programLog.info("Functions run in sandboxes", fields);
    else needs.programLog.warn(`Functions run WITHOUT isolation. ${found.driver.why}`, fields);
    const blanks = createBlanks({ driver: found.sandboxes, clock, limits, endpointPort, serves: () => pool.serves });
    if (found.trial !== undefined) await blanks.put(shape, found.trial);
    const folder = join(dataDir, "compiled");
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const compiled = createCompileCaches({
      driver: found.sandboxes,
      folder,
      clock,
      ids,
      limits,
      log: needs.programLog,
      variables(spec, { language }, places) {
        const all = environmentVariables(spec, {
          places,
          logStream: logStreamName(spec, clock.now(), ids),
          credentials: { accessKeyId: "", secretAccessKey: "", sessionToken: "", expiresAt: 0 },
          endpoint: "http://127.0.0.1:9",
          runtimeApi: undefined,
          language,
          initializationType: "on-demand",
        });
        for (const name of credentialVariables) delete all[name];
        return all;
      },
    });
    return { host: found, blanks, compiled };
  }

  /** An interpreter whose runtime is there: that of Java has to be compiled once. */
  async function prepared(runtime: string): ReturnType<typeof interpreters.find> {
    const found = await interpreters.find(runtime);
    if (found.interpreter.language !== "java") return found;
    java ??= createJavaRuntime({
      sources: join(runtimesDir, "java"),
      folders: [join(dirname(runtimesDir), "dist", "java"), join(needs.dataDir, "java")],
      driver: (await host()).host.driver.name,
      log: needs.programLog,
    });
    return { ...found, interpreter: await java.prepare(found.interpreter) };
  }

  const making = createMaking();
  function create(spec: FunctionSpec, type: InitializationType): Promise<Environment> {
    const become: typeof createEnvironment = (...start) =>
      type === "snap-start"
        ? restoreFirst(createEnvironment(...start), limits.restoreTimeoutMs)
        : createEnvironment(...start);
    return making.add(make(spec, type, become));
  }

  /** @param become makes an environment of a sandbox that has been prepared for its function */
  async function make<E>(
    spec: FunctionSpec,
    initializationType: InitializationType,
    become: (spec: FunctionSpec, start: EnvironmentStart, needs: EnvironmentNeeds) => E,
  ): Promise<E> {
    if (making.stopped) throw new Error("The platform is stopping");
    const { blanks, compiled } = await host();
    if (spec.image !== undefined) return createOfImage(spec, spec.image, initializationType, become);
    const { interpreter, substitute } = await prepared(spec.runtime);
    const logStream = logStreamName(spec, clock.now(), ids);
    const credentials = await needs.credentials(spec);
    const preloadsSdk = await usesRuntimeSdk(spec);
    const shape = { interpreter, memoryMb: spec.memoryMb, ephemeralStorageMb: spec.ephemeralStorageMb, preloadsSdk };
    const extensions = spec.layersDir === undefined ? [] : await extensionsIn(spec.layersDir);
    if (spec.multiConcurrency !== undefined && extensions.length > 0) {
      throw new RuntimeUnavailableError(
        "of functions with external extensions on a capacity provider",
        "What lies in /opt/extensions is not started beside several invocations at once yet.",
      );
    }
    const dedication = dedicationOf(spec, extensions.length > 0);
    const compileCache = dedication === undefined ? await compiled.find(spec, interpreter) : undefined;
    const sandbox = await blanks.take(shape, dedication);
    const places = await placed(sandbox, spec, compileCache);
    const bootstrap = [`${places.task}/bootstrap`, `${places.layers}/bootstrap`];
    const isCustom = custom(spec.runtime);
    const environment = environmentVariables(spec, {
      places,
      logStream,
      credentials,
      endpoint: sandbox.endpoint,
      runtimeApi: sandbox.runtimeApiAddress,
      language: interpreter.language,
      initializationType,
    });
    const lifetimeMs = credentials.expiresAt - clock.now();
    return become(
      spec,
      {
        sandbox,
        logStream,
        credentialsExpireAt: credentials.expiresAt - Math.min(limits.credentialsMarginMs, lifetimeMs / 2),
        speaks: isCustom ? "runtime API" : "frames",
        runtimeVersion: `${spec.runtime} on ${interpreter.language} ${interpreter.version}${substitute ? " (stands in for the version asked for)" : ""}`,
        begin: {
          runtime: spec.runtime,
          handler: spec.handler,
          taskRoot: places.task,
          layersRoot: places.layers,
          environment,
          logFormat: spec.logFormat,
          functionName: spec.functionName,
          functionVersion: spec.version,
          memoryMb: spec.memoryMb,
          logGroup: spec.logGroup,
          logStream,
          ...(isCustom ? { exec: { candidates: bootstrap } } : {}),
          ...(compileCache === undefined ? {} : { compileCache: compiledPlace }),
          ...(spec.multiConcurrency && { concurrency: spec.multiConcurrency }),
        },
        initializationType,
        restores: !isCustom && (interpreter.language === "python" || interpreter.language === "java"),
        extensions: {
          names: extensions,
          folder: `${places.layers}/extensions`,
          environment: extensions.length === 0 ? {} : extensionVariables(environment),
        },
      },
      {
        clock,
        elapsed: () => performance.now(),
        limits,
        log: needs.log,
        initialized: (initMs) => {
          if (dedication === undefined && compileCache === undefined) compiled.note(spec, interpreter, initMs);
        },
      },
    );
  }

  /** Images have nothing of ours inside, so that no sandbox can wait for one. */
  async function createOfImage<E>(
    spec: FunctionSpec,
    image: ImageSpec,
    initializationType: InitializationType,
    become: (spec: FunctionSpec, start: EnvironmentStart, needs: EnvironmentNeeds) => E,
  ): Promise<E> {
    const { sandboxes } = (await host()).host;
    if ((await extensionsIn(join(spec.codeDir, "opt"))).length > 0) {
      throw new RuntimeUnavailableError(
        "of container images with extensions",
        "What lies in /opt/extensions of an image is not started yet.",
      );
    }
    const { interpreter } = await interpreters.find("provided.al2023");
    const logStream = logStreamName(spec, clock.now(), ids);
    const credentials = await needs.credentials(spec);
    const variables = ({ endpoint, runtimeApi }: { readonly endpoint: string; readonly runtimeApi: string }) =>
      imageVariables(spec, image, {
        places: { task: "", layers: "/opt", runtime: "", bin: "/usr/local/bin" },
        logStream,
        credentials,
        endpoint,
        runtimeApi,
        initializationType,
        language: interpreter.language,
      });
    const sandbox = await sandboxes.startImage({ spec, image, interpreter, variables }, needs.endpointPort());
    const lifetimeMs = credentials.expiresAt - clock.now();
    return become(
      spec,
      {
        sandbox,
        logStream,
        credentialsExpireAt: credentials.expiresAt - Math.min(limits.credentialsMarginMs, lifetimeMs / 2),
        speaks: "runtime API",
        runtimeVersion: "container image",
        initializationType,
        restores: false,
        begin: {},
        extensions: { names: [], folder: "", environment: {} },
      },
      { clock, elapsed: () => performance.now(), limits, log: needs.log },
    );
  }

  return Promise.resolve({
    invoke: (spec, invocation) =>
      spec.multiConcurrency === undefined ? bench.invoke(spec, invocation) : fleets.invoke(spec, invocation),
    retire: bench.retire,
    running: (arn) => pool.running(arn) + fleets.running(arn),
    workbench: bench,
    runtime: interpreters.describe,
    keep: keeper.keep,
    kept: keeper.state,
    maintain: fleets.maintain,
    fleet: fleets.state,
    async capabilities() {
      const { driver, network, cgroups } = (await host()).host;
      return { driver, network, cgroups, runtimes: await interpreters.availability() };
    },
    async stop(graceMs) {
      keeper.stop();
      bench.stop();
      await Promise.all([pool.stop(graceMs), fleets.stop(graceMs)]);
      if (detected === undefined) return;
      const { host: used, blanks, compiled } = await detected;
      making.stop();
      await Promise.all([blanks.stop(), compiled.stop()]);
      await making.ended();
      await used.sandboxes.stop();
    },
  });
}

/** Environments that are being made: when the platform stops they must be gone before what they stand on. */
function createMaking() {
  const making = new Set<Promise<{ readonly sandbox: Sandbox }>>();
  let stopped = false;
  return {
    add<E extends { readonly sandbox: Sandbox }>(made: Promise<E>): Promise<E> {
      making.add(made);
      const forget = () => making.delete(made);
      made.then(forget, forget);
      return made;
    },
    get stopped() {
      return stopped;
    },
    stop() {
      stopped = true;
    },
    async ended() {
      await Promise.allSettled(
        [...making].map(async (made) => {
          const { sandbox } = await made;
          sandbox.kill();
          await sandbox.ended;
        }),
      );
    },
  };
}

async function placed(sandbox: Sandbox, spec: FunctionSpec, compiled: string | undefined): Promise<Places> {
  try {
    return await sandbox.place(spec, compiled);
  } catch (error) {
    sandbox.kill();
    await sandbox.ended;
    await sandbox.dispose();
    throw error;
  }
}

/** Custom runtimes are started with all their variables in any case. A wrapper sees those of the function itself. */
function dedicationOf(spec: FunctionSpec, supervised: boolean): Dedication | undefined {
  if (custom(spec.runtime)) return supervised ? { spec, variables: {}, wrapper: undefined, supervised } : undefined;
  const wrapper = spec.environment[wrapperVariable];
  const variables = wrapper === undefined ? variablesReadAtStart(spec.environment) : spec.environment;
  return Object.keys(variables).length === 0 && !supervised ? undefined : { spec, variables, wrapper, supervised };
}

const credentialVariables = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/** `2026/11/21/[$LATEST]0123…`, as Lambda names them. */
function logStreamName(spec: FunctionSpec, now: number, ids: Ids): string {
  const day = new Date(now).toISOString().slice(0, 10).replaceAll("-", "/");
  return `${day}/[${spec.version}]${Buffer.from(ids.bytes(16)).toString("hex")}`;
}

/** The folder `runtimes` of this package: above the sources, and above the bundle. */
function findRuntimes(): string {
  for (let at = import.meta.dirname; at !== dirname(at); at = dirname(at)) {
    const candidate = join(at, "runtimes");
    if (existsSync(join(candidate, "node", "bootstrap.cjs"))) return candidate;
  }
  throw new Error("The folder of the runtimes is missing from this installation");
}
