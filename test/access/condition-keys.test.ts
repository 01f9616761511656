import { afterAll, beforeAll, expect, test } from "vitest";
import type { Principal } from "../../src/aws/principal.ts";
import { account, startAccessTest, type AccessTest } from "../../src/testing/access.ts";
import { requestTagKeys, tagMembersOf } from "../../src/wire/request-tags.ts";
import type { Call } from "../../src/wire/service.ts";
import { createModels } from "../../src/wire/tables/catalog.ts";
import { absent, absentOf, examples, ofResources } from "./operations/condition-keys.ts";
import { documented } from "./operations/documented.ts";
import { exampleInput } from "./operations/example-input.ts";
import { knownMembers } from "./operations/inputs.ts";

/** Every condition key that AWS documents for what is built here is told to policies, or is listed with why it cannot be. */
const region = "us-east-1";
const principal: Principal = {
  type: "user",
  account,
  arn: `arn:aws:iam::${account}:user/caller`,
  userId: "AIDAEXAMPLEEXAMPLE123",
  userName: "caller",
  accessKeyId: "AKIAEXAMPLE",
};

let access: AccessTest;
/** By the actions' prefix: keys that are told, and keys that are documented. Lower case; `x/` stands for all that begin so. */
const told = new Map<string, Set<string>>();
const wanted = new Map<string, Set<string>>();

function add(to: Map<string, Set<string>>, prefix: string, keys: readonly string[]): void {
  const known = to.get(prefix) ?? new Set();
  for (const key of keys) known.add(key.toLowerCase().replace(/tag\/.*/, "tag/"));
  to.set(prefix, known);
}

function valuesOf(keys: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  const values: string[] = [];
  for (const each of keys.values()) values.push(...each);
  return values;
}

beforeAll(async () => {
  access = await startAccessTest();
  const models = createModels();
  for (const [service, { operations, conditionKeys }] of access.platform.platform.services) {
    if (service === "apigatewaymanagementapi") continue;
    const { model } = await models.load(service);
    for (const [name, built] of Object.entries(operations)) {
      const operation = model.operations.get(name);
      if (!operation) continue;
      const { values, also } = knownMembers(service, name);
      const input = exampleInput(operation.input, values, { ...also, ...examples[`${service}:${name}`] });
      const call: Call = {
        requestId: "r",
        service,
        operation: name,
        principal,
        account,
        region,
        now: Date.parse("2026-01-02T03:04:05Z"),
        endpoint: access.platform.endpoint,
        signal: new AbortController().signal,
        authorize: () => Promise.resolve(),
        setHeader: () => {},
        http: {
          method: "PUT",
          path: "/",
          query: new URLSearchParams(),
          headers: { authorization: "x", "x-amz-date": "20260102T030400Z", "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
          sourceIp: "127.0.0.1",
          secure: true,
          tlsVersion: () => "1.3",
        },
      };
      // The model that the input was made from is what the operation's types say.
      const ask = async () => built.authorize(input as never, call);
      const questions = await ask().catch(() => []);
      for (const { action, context = {} } of questions) {
        const prefix = action.slice(0, action.indexOf(":"));
        add(wanted, prefix, documented(action)?.conditionKeys ?? []);
        add(told, prefix, Object.keys(context));
        if (prefix !== model.signingName && prefix !== service) continue;
        for (const member of tagMembersOf(operation)) {
          add(told, prefix, Object.keys(requestTagKeys(input[member] ?? [{ Key: "a", Value: "b" }])));
        }
        add(told, prefix, Object.keys((await conditionKeys?.[name]?.(input as never, call, action)) ?? {}));
      }
    }
  }
  for (const [prefix, keys] of Object.entries(ofResources)) add(told, prefix, keys);
}, 60_000);
afterAll(() => access.stop());

test("every documented condition key is told, or listed with the reason why it is not", () => {
  const missing: string[] = [];
  for (const [prefix, keys] of wanted) {
    for (const key of keys) {
      if (told.get(prefix)?.has(key)) continue;
      const isListed = [...Object.keys(absent), ...Object.keys(absentOf[prefix] ?? {})].some((pattern) =>
        new RegExp(`^(?:${pattern})$`).test(key),
      );
      if (!isListed) missing.push(`${prefix}: ${key}`);
    }
  }
  expect(missing).toEqual([]);
});

test("what is listed as absent is documented, and is not told", () => {
  const all = [...new Set(valuesOf(wanted))];
  const given = valuesOf(told);
  for (const pattern of Object.keys(absent)) {
    const whole = new RegExp(`^(?:${pattern})$`);
    expect(
      all.filter((key) => whole.test(key)),
      pattern,
    ).not.toEqual([]);
    expect(
      given.filter((key) => whole.test(key)),
      pattern,
    ).toEqual([]);
  }
});

test("nothing is told that AWS does not document", () => {
  const extra = [...told].flatMap(([prefix, keys]) =>
    [...keys].filter((key) => !wanted.get(prefix)?.has(key)).map((key) => `${prefix}: ${key}`),
  );
  expect(extra).toEqual([]);
});
