import { execFileSync } from "node:child_process";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LambdaClient, UpdateFunctionConfigurationCommand, waitUntilFunctionUpdatedV2 } from "@aws-sdk/client-lambda";
import { bareStartMs, type Bare, type Language } from "./bare.ts";
import { untilQuiet } from "./process.ts";
import { startCumulet } from "./server.ts";

const singles = 20;
const unpooled = 10;
const parallel = 20;
const parallelRounds = 4;
const many = 100;
const manyRounds = 3;
/** What was used up is made again while nobody waits, by half of the processors: until the server has nothing more to make, at most. */
const restMsMax = 12_000;

export interface ColdStarts {
  /** One function, from a sandbox that waited for code. */
  readonly singleMs: ByLanguage;
  /** A Node.js function that imports a client of the AWS SDK which its runtime has. */
  readonly sdkMs: number[];
  /** One that brings that client in its package. */
  readonly ownSdkMs: number[];
  /** From nothing, as functions are started whose variables the language reads at its start. */
  readonly fromNothingMs: ByLanguage;
  readonly bareMs: ByLanguage;
  /** 20 functions at the same moment. The first of these rounds is the first such burst that the server sees. */
  readonly parallelMs: number[];
  readonly manyMs: number[];
  /** 20 requests to one function at the same moment. */
  readonly sameFunctionMs: number[];
}

type ByLanguage = Partial<Record<Language, number[]>>;

/**
 * How long the first request of a new environment takes through the HTTP API: alone, 20 and 100 functions at the same
 * moment, and 20 at the same moment to one function. A changed environment variable makes every environment of a function
 * stale, so the next request needs a new one.
 */
export async function measureColdStarts(folder: string, bares: readonly Bare[]): Promise<ColdStarts> {
  const app = join(folder, "app");
  await writeApps(app, many, bares);
  const server = await startCumulet(join(folder, "data"), app);
  try {
    const lambda = new LambdaClient({
      endpoint: server.endpoint,
      region: server.environment["AWS_REGION"] ?? "us-east-1",
      credentials: {
        accessKeyId: server.environment["AWS_ACCESS_KEY_ID"] ?? "",
        secretAccessKey: server.environment["AWS_SECRET_ACCESS_KEY"] ?? "",
      },
    });
    let rounds = 0;
    const renew = async (name: string | number, variables: Readonly<Record<string, string>> = {}) => {
      rounds += 1;
      const FunctionName = `bench-${name}`;
      const Environment = { Variables: { ROUND: String(rounds), ...variables } };
      await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment }));
      await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 10, minDelay: 0.02 }, { FunctionName });
    };
    const base = server.url("bench-0").replace(/\/[^/]+\/hello\/x$/, "");
    const request = async (name: string | number) => {
      const from = performance.now();
      const response = await fetch(`${base}/${name}/hello/x`);
      await response.arrayBuffer();
      if (response.status !== 200) throw new Error(`A cold request answered ${response.status}`);
      return performance.now() - from;
    };
    const alone = async (name: string | number, times: number, variables?: Readonly<Record<string, string>>) => {
      const ms: number[] = [];
      for (let round = 0; round < times; round++) {
        await renew(name, variables);
        await untilQuiet(server.pid, restMsMax);
        ms.push(await request(name));
      }
      return ms;
    };
    const together = async (functions: number, times: number) => {
      const ms: number[] = [];
      for (let round = 0; round < times; round++) {
        for (let index = 0; index < functions; index++) await renew(index);
        await untilQuiet(server.pid, restMsMax);
        const from = performance.now();
        await Promise.all(Array.from({ length: functions }, (_, index) => request(index)));
        ms.push(performance.now() - from);
      }
      return ms;
    };

    const singleMs: ByLanguage = {};
    const fromNothingMs: ByLanguage = {};
    const bareMs: ByLanguage = {};
    for (const bare of bares) {
      const { language } = bare;
      const name = language === "node" ? 0 : language;
      // The first time the runtime of Java may have to be compiled.
      singleMs[language] = (await alone(name, singles + 1)).slice(1);
      fromNothingMs[language] = await alone(name, unpooled, readAtStart[language]);
      bareMs[language] = bareStartMs(bare, unpooled);
    }
    // The first time nothing has been loaded ahead, and nothing of what was compiled is kept.
    const sdkMs = (await alone("sdk", singles + 1)).slice(1);
    const ownSdkMs = await alone("own-sdk", unpooled);
    const parallelMs = await together(parallel, parallelRounds);
    const manyMs = await together(many, manyRounds);
    const sameFunctionMs: number[] = [];
    for (let round = 0; round < parallelRounds; round++) {
      await renew(0);
      await untilQuiet(server.pid, restMsMax);
      const from = performance.now();
      await Promise.all(Array.from({ length: parallel }, () => request(0)));
      sameFunctionMs.push(performance.now() - from);
    }
    return { singleMs, sdkMs, ownSdkMs, fromNothingMs, bareMs, parallelMs, manyMs, sameFunctionMs };
  } finally {
    await server.stop();
  }
}

/** Variables that the languages read at their start, without effect. */
const readAtStart: Readonly<Record<Language, Readonly<Record<string, string>>>> = {
  node: { NODE_OPTIONS: "--no-warnings" },
  python: { PYTHONDONTWRITEBYTECODE: "1" },
  java: { JAVA_TOOL_OPTIONS: "-Dbench=1" },
  ruby: { RUBYOPT: "-W0" },
};

/** An app of so many functions, numbered from `first` on, each behind a route of one HTTP API. */
export async function writeApp(folder: string, functions: number, first = 0): Promise<void> {
  await mkdir(folder, { recursive: true });
  await cp("bench/app/src", join(folder, "src"), { recursive: true });
  const Resources: Record<string, unknown> = {};
  for (let index = first; index < first + functions; index++) Resources[`Function${index}`] = benchFunction(index);
  await writeTemplate(folder, Resources);
}

/** And one function in each other language, and two that use the AWS SDK. */
export async function writeApps(folder: string, functions: number, bares: readonly Bare[]): Promise<void> {
  await writeApp(folder, functions);
  const source = join(folder, "src");
  await writeFile(join(source, "app.py"), `def handler(event, context):\n    return "hello"\n`);
  await writeFile(join(source, "app.rb"), `def handler(event:, context:)\n  "hello"\nend\n`);
  const sdk = `import { S3Client } from "@aws-sdk/client-s3";\nconst s3 = new S3Client({});\nexport const handler = async () => typeof s3.send;\n`;
  await writeFile(join(source, "sdk.mjs"), sdk);
  const own = join(folder, "own");
  await cp("dist/sdk/node_modules", join(own, "node_modules"), { recursive: true });
  await writeFile(join(own, "sdk.mjs"), sdk);
  const Resources: Record<string, unknown> = {
    FunctionSdk: benchFunction("sdk", { Handler: "sdk.handler" }),
    FunctionOwnSdk: benchFunction("own-sdk", { Handler: "sdk.handler", CodeUri: "own/" }),
  };
  for (const { language } of bares) {
    if (language === "node") continue;
    if (language === "java") await compileHello(source);
    Resources[`Function${language}`] = benchFunction(language, runtimes[language]);
  }
  for (let index = 0; index < functions; index++) Resources[`Function${index}`] = benchFunction(index);
  await writeTemplate(folder, Resources);
}

const runtimes = {
  python: { Runtime: "python3.11", Handler: "app.handler" },
  ruby: { Runtime: "ruby3.2", Handler: "app.handler" },
  java: { Runtime: "java17", Handler: "Hello::handle" },
};

async function compileHello(folder: string): Promise<void> {
  const text = `public class Hello { public String handle(java.util.Map<String, Object> event) { return "hello"; } }`;
  await writeFile(join(folder, "Hello.java"), text);
  execFileSync("/usr/bin/javac", ["--release", "11", "-d", folder, join(folder, "Hello.java")], { stdio: "ignore" });
}

function benchFunction(name: string | number, properties: Readonly<Record<string, string>> = {}) {
  return {
    Type: "AWS::Serverless::Function",
    Properties: {
      FunctionName: `bench-${name}`,
      Events: { Hello: { Type: "HttpApi", Properties: { Path: `/${name}/hello/{name}`, Method: "get" } } },
      ...properties,
    },
  };
}

async function writeTemplate(folder: string, Resources: Readonly<Record<string, unknown>>): Promise<void> {
  const Globals = { Function: { Runtime: "nodejs24.x", MemorySize: 1024, CodeUri: "src/", Handler: "hello.handler" } };
  const template = { Transform: "AWS::Serverless-2016-10-31", Globals, Resources };
  await writeFile(join(folder, "template.json"), JSON.stringify(template));
}
