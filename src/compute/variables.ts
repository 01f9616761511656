import type { FunctionSpec, ImageSpec, RoleCredentials } from "./compute.ts";

/** Where things are inside an environment; the same on AWS, except without a sandbox. */
export interface Places {
  readonly task: string;
  readonly layers: string;
  readonly runtime: string;
  readonly bin: string;
}

export interface VariablesNeeds {
  readonly places: Places;
  readonly logStream: string;
  readonly credentials: RoleCredentials;
  readonly endpoint: string;
  /** `host:port` of the Runtime API, for runtimes that speak it. */
  readonly runtimeApi: string | undefined;
  readonly language: "node" | "python" | "java" | "ruby";
  readonly initializationType: InitializationType;
}

export type InitializationType = "on-demand" | "provisioned-concurrency" | "snap-start" | "lambda-managed-instances";

/**
 * The environment variables of a function: those Lambda reserves, over the function's own, over the defaults that a
 * function may replace. Source: "Using Lambda environment variables", defined runtime environment variables.
 */
export function environmentVariables(spec: FunctionSpec, needs: VariablesNeeds): Record<string, string> {
  const { places, credentials } = needs;
  const managed = !spec.runtime.startsWith("provided");
  return {
    LANG: "en_US.UTF-8",
    TZ: ":UTC",
    PATH: `${places.bin}:/usr/local/bin:/usr/bin/:/bin:${places.layers}/bin`,
    LD_LIBRARY_PATH: [
      "/var/lang/lib:/lib64:/usr/lib64",
      places.runtime,
      `${places.runtime}/lib`,
      places.task,
      `${places.task}/lib`,
      `${places.layers}/lib`,
    ].join(":"),
    ...(managed && needs.language === "node" ? { NODE_PATH: nodePath(spec, places) } : {}),
    ...(managed && needs.language === "python" ? { PYTHONPATH: places.runtime } : {}),
    ...(managed && needs.language === "ruby" ? rubyPaths(spec, places) : {}),
    AWS_ENDPOINT_URL: needs.endpoint,
    AWS_LAMBDA_FUNCTION_TIMEOUT: String(Math.ceil(spec.timeoutMs / 1000)),
    ...spec.environment,
    _HANDLER: spec.handler,
    ...(managed ? { AWS_EXECUTION_ENV: `AWS_Lambda_${spec.runtime}` } : {}),
    ...(needs.runtimeApi === undefined ? {} : { AWS_LAMBDA_RUNTIME_API: needs.runtimeApi }),
    AWS_REGION: spec.region,
    AWS_DEFAULT_REGION: spec.region,
    AWS_LAMBDA_FUNCTION_NAME: spec.functionName,
    AWS_LAMBDA_FUNCTION_VERSION: spec.version,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(spec.memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: needs.initializationType,
    AWS_LAMBDA_LOG_GROUP_NAME: spec.logGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: needs.logStream,
    AWS_LAMBDA_LOG_FORMAT: spec.logFormat,
    ...(spec.multiConcurrency && { AWS_LAMBDA_MAX_CONCURRENCY: String(spec.multiConcurrency.slots) }),
    ...(spec.applicationLogLevel === undefined ? {} : { AWS_LAMBDA_LOG_LEVEL: spec.applicationLogLevel }),
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    LAMBDA_TASK_ROOT: places.task,
    LAMBDA_RUNTIME_DIR: places.runtime,
  };
}

/**
 * Those of a container image: its own, below the function's, below those Lambda reserves. Where things are inside of the image is the
 * image's to say.
 */
export function imageVariables(spec: FunctionSpec, image: ImageSpec, needs: VariablesNeeds): Record<string, string> {
  const reserved = environmentVariables({ ...spec, runtime: "provided", environment: {} }, needs);
  for (const name of placeNames) delete reserved[name];
  return { PATH: "/usr/local/bin:/usr/bin/:/bin:/opt/bin", ...image.environment, ...reserved, ...spec.environment };
}

const placeNames = ["LANG", "TZ", "PATH", "LD_LIBRARY_PATH", "_HANDLER", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"];

function nodePath(spec: FunctionSpec, places: Places): string {
  const major = /^nodejs(\d+)/u.exec(spec.runtime)?.[1] ?? "24";
  return [
    `${places.layers}/nodejs/node${major}/node_modules`,
    `${places.layers}/nodejs/node_modules`,
    `${places.runtime}/node_modules`,
    places.runtime,
    places.task,
  ].join(":");
}

/** Gems lie in folders named after the version of Ruby's interface: `3.4.0` for every 3.4. */
function rubyPaths(spec: FunctionSpec, { task, runtime, layers }: Places): Record<string, string> {
  const version = `${spec.runtime.slice("ruby".length)}.0`;
  return {
    GEM_PATH: `${task}/vendor/bundle/ruby/${version}:${layers}/ruby/gems/${version}`,
    RUBYLIB: `${task}:${runtime}/lib:${layers}/ruby/lib`,
  };
}

/** What of them external extensions get. Source: developer guide, "Lambda extensions", environment variables. */
export function extensionVariables(environment: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !runtimeOnly.has(name)));
}

const runtimeOnly = new Set([
  "AWS_EXECUTION_ENV",
  "AWS_LAMBDA_LOG_GROUP_NAME",
  "AWS_LAMBDA_LOG_STREAM_NAME",
  "AWS_XRAY_CONTEXT_MISSING",
  "AWS_XRAY_DAEMON_ADDRESS",
  "LAMBDA_RUNTIME_DIR",
  "LAMBDA_TASK_ROOT",
  "_AWS_XRAY_DAEMON_ADDRESS",
  "_AWS_XRAY_DAEMON_PORT",
  "_HANDLER",
]);

/** Of a function's own variables, those that a language or the system reads before any of our code runs. */
export function variablesReadAtStart(environment: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => atStart.has(name) || readAtStart.test(name)),
  );
}

export const wrapperVariable = "AWS_LAMBDA_EXEC_WRAPPER";

const readAtStart = /^(?:LD_|PYTHON|RUBY)/;

const atStart = new Set([
  "NODE_OPTIONS",
  "NODE_EXTRA_CA_CERTS",
  "NODE_ICU_DATA",
  "NODE_V8_COVERAGE",
  "NODE_COMPILE_CACHE",
  "NODE_DEBUG",
  "UV_THREADPOOL_SIZE",
  "MALLOC_ARENA_MAX",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "JAVA_TOOL_OPTIONS",
  "JDK_JAVA_OPTIONS",
  "_JAVA_OPTIONS",
]);
