import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FunctionSpec } from "../../src/compute/compute.ts";
import { startHarness } from "./harness.ts";
import type { Harness } from "./harness.ts";

/** The Ruby runtime; each driver runs these. Any version that the host has will do. */
export function rubyCases(driver: "process" | "namespaces"): void {
  describe(`Ruby functions (${driver})`, () => {
    let harness: Harness;
    let missing: string | undefined;
    const ruby = (files: Record<string, string>, overrides?: Partial<FunctionSpec>) =>
      harness.define(files, { runtime: "ruby3.4", handler: "app.lambda_handler", ...overrides });
    beforeAll(async () => {
      harness = await startHarness(driver);
      const found = await harness.compute.runtime("ruby3.4");
      if (found.state === "missing") missing = found.remedy;
    });
    afterAll(() => harness.stop());
    const row = (name: string, body: () => Promise<void>) =>
      it(name, async ({ skip }) => {
        if (missing !== undefined) skip(missing);
        await body();
      });

    row("answers what the handler returns, with its context, variables and log", async () => {
      const spec = await ruby({
        "app.rb": [
          'require "logger"',
          "def lambda_handler(event:, context:)",
          '  puts "one", ["two\\nlines"]',
          '  $stdout.puts "printed"',
          '  Logger.new($stdout).warn("careful")',
          '  Logger.new(nil, level: Logger::ERROR).warn("not wanted")',
          "  { event: event, name: context.function_name, memory: context.memory_limit_in_mb,",
          '    left: context.get_remaining_time_in_millis > 1000, region: ENV["AWS_REGION"],',
          '    fetched: Net::HTTP.get(URI(ENV["AWS_ENDPOINT_URL"])), folder: Dir.pwd }',
          "end",
        ].join("\n"),
      });
      expect(await harness.answer(spec, { a: "é" })).toEqual({
        event: { a: "é" },
        name: spec.functionName,
        memory: "256",
        left: true,
        region: "eu-west-1",
        fetched: "hello from the platform",
        folder: driver === "namespaces" ? "/var/task" : spec.codeDir,
      });
      const log = harness.log(spec);
      expect(log).toEqual(expect.arrayContaining(["one\ntwo\nlines\n", "printed\n"]));
      expect(log.find((line) => line.includes("careful"))).toMatch(
        /^W, \[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6} #\d+\] {2}WARN [0-9a-f-]{36} -- : careful\n$/u,
      );
      expect(log.join("")).not.toContain("not wanted");
    });

    row("answers errorMessage, errorType and stackTrace of what the handler raises, and works on", async () => {
      const spec = await ruby({
        "app.rb": [
          "$started = 0",
          "def lambda_handler(event:, context:)",
          '  raise ArgumentError, "böse" if event["fail"]',
          "  $started += 1",
          "end",
        ].join("\n"),
      });
      const place = driver === "namespaces" ? "/var/task" : spec.codeDir;
      expect(await harness.answer(spec, {})).toBe(1);
      expect(await harness.answer(spec, { fail: true })).toEqual({
        errorMessage: "böse",
        errorType: "Function<ArgumentError>",
        stackTrace: [expect.stringMatching(new RegExp(`^${place}/app\\.rb:3:in .*lambda_handler'$`, "u"))],
      });
      expect(await harness.answer(spec, {})).toBe(2);
      const log = harness.log(spec);
      expect(log).toContain("Error raised from handler method\n");
      expect(JSON.parse(log.find((line) => line.startsWith("{\n")) ?? "")).toMatchObject({ errorMessage: "böse" });
    });

    row("ends after an error that AWS holds for critical: what is not there, exit, an endless recursion", async () => {
      const spec = await ruby({
        "app.rb": [
          "$served = 0",
          "def deeper(n) = deeper(n + 1)",
          "def lambda_handler(event:, context:)",
          '  absent if event["how"] == "name"',
          '  exit(3) if event["how"] == "exit"',
          '  deeper(0) if event["how"] == "deep"',
          "  $served += 1",
          "end",
        ].join("\n"),
      });
      for (const [how, errorType, errorMessage] of [
        ["name", "Function<NameError>", expect.stringMatching(/^undefined local variable or method [`']absent' for /u)],
        ["exit", "Function<SystemExit>", "exit"],
        ["deep", "Function<SystemStackError>", "stack level too deep"],
      ] as const) {
        expect(await harness.answer(spec, {})).toBe(1);
        expect(await harness.answer(spec, { how })).toMatchObject({ errorType, errorMessage });
      }
      expect(harness.log(spec).join("")).toContain("Runtime exited with error: exit status 255");
    });

    it.each([
      [{ "app.rb": 'require "absent"' }, "Init<LoadError>", "cannot load such file -- absent"],
      [{ "other.rb": "" }, "Init<LoadError>", "cannot load such file -- app"],
      [{ "app.rb": "def" }, "Init<SyntaxError>", expect.stringContaining("app.rb:1: ")],
      [{ "app.rb": 'raise KeyError, "k"' }, "Init<KeyError>", "k"],
    ])("answers the error of an init that fails: %j", async (files, errorType, errorMessage) => {
      if (missing !== undefined) return;
      const spec = await ruby(files as unknown as Record<string, string>);
      expect(await harness.answer(spec, {})).toMatchObject({ errorType, errorMessage, stackTrace: expect.any(Array) });
      expect(harness.log(spec)).toContain("Init error when loading handler app.lambda_handler\n");
    });

    const source = [
      'require "stringio"',
      "class Handlers",
      '  def self.first(event:, context:) = "of a class"',
      "end",
      "module Deep; class Inner; class << self",
      '  def run(event:, context:) = "deep"',
      "end; end; end",
      'def loose(given) = given[:event]["a"]',
      'def raw(event:, context:) = StringIO.new("{\\"raw\\":true}")',
      "def nothing(event:, context:) = nil",
      'def broken(event:, context:) = "\\xff"',
      "def unfit(a, b) = 1",
      "def seen(event:, context:)",
      "  [context.aws_request_id, context.invoked_function_arn, context.tenant_id, context.identity, context.client_context,",
      '   context.w3c, ENV["_X_AMZN_TRACE_ID"]]',
      "end",
    ].join("\n");
    it.each([
      ["app.Handlers.first", "of a class"],
      ["app.Deep::Inner.run", "deep"],
      ["app.loose", 5],
      ["app.raw", { raw: true }],
      ["app.nothing", null],
      ["app.broken", expect.objectContaining({ errorType: "Function<JSON::GeneratorError>" })],
      ["app.unfit", expect.objectContaining({ errorType: "Function<ArgumentError>" })],
      [
        "app.absent",
        expect.objectContaining({
          errorType: "Function<NoMethodError>",
          errorMessage: expect.stringMatching(/^undefined method [`']absent' for .*LambdaHandler/u),
        }),
      ],
      ["app.No::Such.run", expect.objectContaining({ errorType: "Function<NameError>" })],
      [
        "app",
        expect.objectContaining({
          errorType: "Init<ArgumentError>",
          errorMessage: expect.stringMatching(/^Invalid handler \["app"\], must be of form FILENAME\.METHOD or /u),
        }),
      ],
    ])("a handler %s answers %j", async (handler, answer) => {
      if (missing !== undefined) return;
      expect(await harness.answer(await ruby({ "app.rb": source }, { handler }), { a: 5 })).toEqual(answer);
    });

    row("gives the function its context, without the trace context in the client's", async () => {
      const spec = await ruby({ "app.rb": source }, { handler: "app.seen" });
      const { payload } = await harness.invoke(
        spec,
        {},
        {
          requestId: "8476a536-e9f4-4d65-9aad-4c1ea9ac8b7d",
          invokedFunctionArn: `${spec.functionArn}:live`,
          traceId: "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
          clientContext: '{"custom":{"k":"é"},"w3c":{"baggage":"b","traceparent":1,"other":"x"}}',
          cognitoIdentity: '{"cognitoIdentityId":"eu-west-1:id","cognitoIdentityPoolId":"p"}',
        },
      );
      expect(JSON.parse(Buffer.from(payload).toString("utf8"))).toEqual([
        "8476a536-e9f4-4d65-9aad-4c1ea9ac8b7d",
        `${spec.functionArn}:live`,
        null,
        { cognitoIdentityId: "eu-west-1:id", cognitoIdentityPoolId: "p" },
        { custom: { k: "é" } },
        { baggage: "b" },
        "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
      ]);
    });

    row("logs in JSON, from the function's level on", async () => {
      const lines = [
        "$log = Logger.new($stdout, progname: 'mine')",
        "def lambda_handler(event:, context:)",
        "  $log.info('low')",
        "  $log.warn('high')",
        "  begin; raise KeyError, 'k'; rescue KeyError => e; $log.error(e); end",
        "end",
      ];
      const spec = await ruby({ "app.rb": lines.join("\n") }, { logFormat: "JSON", applicationLogLevel: "WARN" });
      await harness.answer(spec, {});
      const logged = harness.log(spec).filter((line) => line.includes('"logger"'));
      expect(logged.map((line) => JSON.parse(line) as unknown)).toEqual([
        expect.objectContaining({ level: "WARN", message: "high", logger: "mine", requestId: expect.any(String) }),
        expect.objectContaining({
          level: "ERROR",
          errorType: "KeyError",
          errorMessage: "k",
          location: expect.stringMatching(/app\.rb:.*lambda_handler:5$/u),
        }),
      ]);
    });

    row("finds gems of the package and of a layer, for the version asked for or the one that stands in", async () => {
      const spec = await ruby(
        {
          "app.rb": 'require "packed"\nrequire "given"\ndef lambda_handler(event:, context:) = [PACKED, GIVEN]\n',
          ...gem("vendor/bundle/ruby/3.4.0", "packed"),
          ...gem("layer/ruby/gems/3.4.0", "given"),
        },
        {},
      );
      const layersDir = `${spec.codeDir}/layer`;
      expect(await harness.answer({ ...spec, layersDir }, {})).toEqual(["packed 1", "given 1"]);
    });

    row("has the variables that Ruby reads at its start", async () => {
      const spec = await ruby(
        {
          "early.rb": "EARLY = 1",
          "app.rb": 'require "early"\ndef lambda_handler(event:, context:) = [EARLY, $VERBOSE, ENV["RUBYOPT"]]\n',
        },
        { environment: { RUBYOPT: "-w" } },
      );
      expect(await harness.answer(spec, {})).toEqual([1, true, "-w"]);
    });
  });
}

/** What `bundle install` leaves of a gem that is plain Ruby. */
function gem(folder: string, name: string): Record<string, string> {
  return {
    [`${folder}/gems/${name}-1/lib/${name}.rb`]: `${name.toUpperCase()} = "${name} 1"`,
    [`${folder}/specifications/${name}-1.gemspec`]: [
      "Gem::Specification.new do |s|",
      `  s.name = "${name}"`,
      '  s.version = "1"',
      '  s.summary = "a gem"',
      '  s.authors = ["a"]',
      '  s.require_paths = ["lib"]',
      "end",
    ].join("\n"),
  };
}
