import * as fc from "fast-check";
import { expect, test } from "vitest";
import { mayHoldMetrics, parseEmbeddedMetrics } from "./embedded-metrics.ts";

const now = Date.UTC(2026, 0, 1);
const place = { account: "000000000000", region: "us-east-1" };
const directive = {
  Namespace: "app",
  Dimensions: [["service"], ["service", "stage"], []],
  Metrics: [
    { Name: "time", Unit: "Milliseconds" },
    { Name: "orders", StorageResolution: 1 },
  ],
};
const root = {
  _aws: { Timestamp: now, CloudWatchMetrics: [directive] },
  service: "shop",
  stage: "test",
  time: [1, 2, 2],
  orders: 3,
};
const parse = (value: unknown) => parseEmbeddedMetrics(JSON.stringify(value), place, now);

test("a log event is metrics under each of its sets of dimensions", () => {
  const data = parse(root);
  expect(data).toHaveLength(6);
  expect(data[0]).toEqual({
    ...place,
    namespace: "app",
    metricName: "time",
    dimensions: [{ name: "service", value: "shop" }],
    unit: "Milliseconds",
    timestamp: now,
    resolution: 60,
    sample: { count: 3, sum: 5, minimum: 1, maximum: 2, values: [1, 1, 2, 2] },
  });
  expect(data[3]).toMatchObject({ metricName: "orders", resolution: 1, sample: { sum: 3 } });
  expect(data[3]?.dimensions).toHaveLength(2);
});

test.each([
  ["a value that is a text", { ...root, time: "1", orders: "2" }],
  [
    "a dimension without a value",
    {
      ...root,
      service: undefined,
      _aws: { Timestamp: now, CloudWatchMetrics: [{ ...directive, Dimensions: [["service"]] }] },
    },
  ],
  [
    "AWS's own namespaces",
    { ...root, _aws: { Timestamp: now, CloudWatchMetrics: [{ ...directive, Namespace: "AWS/Lambda" }] } },
  ],
  ["no time", { ...root, _aws: { CloudWatchMetrics: [directive] } }],
  ["a time three weeks ago", { ...root, _aws: { Timestamp: now - 21 * 86_400_000, CloudWatchMetrics: [directive] } }],
  ["no object", [root]],
])("leaves out %s", (_, value) => {
  expect(parse(value)).toEqual([]);
});

test("only whole events that are JSON are looked at", () => {
  expect(mayHoldMetrics(JSON.stringify(root))).toBe(true);
  expect(mayHoldMetrics("START RequestId: 1")).toBe(false);
  expect(mayHoldMetrics(`x ${JSON.stringify(root)}`)).toBe(false);
});

test("whatever a function logs, nothing breaks", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (metrics, time) => {
      parse({ _aws: { Timestamp: now, CloudWatchMetrics: metrics }, time });
      parse({ _aws: metrics, time });
      parseEmbeddedMetrics(JSON.stringify(root).slice(0, 50), place, now);
    }),
  );
});
