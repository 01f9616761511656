import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deployApp, type DeployedApp } from "./deployed-app.ts";
import { makePackages } from "./packages.ts";

const made = await makePackages("powertools-node", "powertools-node-layer");
if ("missing" in made) process.stderr.write(`skipped: ${made.missing}\n`);

const record = (messageId: string, bad: boolean) => ({ messageId, body: JSON.stringify({ bad }) });

describe.skipIf("missing" in made)("Powertools for AWS Lambda (TypeScript) in a layer, with middy", () => {
  let app: DeployedApp;
  beforeAll(async () => {
    app = await deployApp("powertools-node", "zips" in made ? made.zips : {});
  });
  afterAll(() => app.stop());

  const order = (body: string, headers: Readonly<Record<string, string>> = { "content-type": "application/json" }) =>
    fetch(`${app.url("HttpApi")}/orders`, { method: "POST", headers, body });

  test("an order is made; its log lines have the request, the correlation id, the cold start and the trace", async () => {
    const Root = "1-5bef4de7-ad49b0e87f6ef6c87fc2e700";
    const trace = `Root=${Root};Parent=9a9197af755a6419;Sampled=0`;
    const headers = { "content-type": "application/json", "x-amzn-trace-id": trace };
    const answer = await order(JSON.stringify({ item: "book", amount: 3 }), headers);
    expect([answer.status, await answer.json()]).toEqual([201, { item: "book", trace: Root }]);

    expect(await app.logged("orders", '{ $.message = "ordered" }')).toMatchObject({
      level: "INFO",
      service: "shop",
      item: "book",
      amount: 3,
      cold_start: true,
      function_name: "orders",
      function_memory_size: "256",
      function_arn: "arn:aws:lambda:us-east-1:000000000000:function:orders",
      function_request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      correlation_id: answer.headers.get("apigw-requestid"),
      xray_trace_id: Root,
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });

    // Sampled: segments are sent, and nobody listens.
    const sampled = { ...headers, "x-amzn-trace-id": trace.replace("Sampled=0", "Sampled=1") };
    expect((await order(JSON.stringify({ item: "pen", amount: 4 }), sampled)).status).toBe(201);
    expect(await app.logged("orders", '{ $.item = "pen" }')).toMatchObject({ cold_start: false });
  });

  test("what it counts becomes metrics in CloudWatch, its cold start too", async () => {
    await order(JSON.stringify({ item: "ink", amount: 1000 }));
    expect(await app.sum("Shop", "ordered", { service: "shop", kind: "online" })).toBeGreaterThanOrEqual(1000);
    expect(await app.sum("Shop", "ColdStart", { service: "shop", function_name: "orders" })).toBe(1);
  });

  test.each([
    ["of a wrong shape", '{"item":"book","amount":0}', "application/json", 400, "Event object failed validation"],
    ["that is no JSON", "{", "application/json", 415, "Invalid or malformed JSON was provided"],
    ["of another type", "item=book", "text/plain", 415, "Unsupported Media Type"],
  ])("an order %s is refused", async (_name, body, type, status, message) => {
    const answer = await order(body, { "content-type": type });
    expect([answer.status, await answer.text()]).toEqual([status, message]);
  });

  test("an error is a 500 without its text, which is in the log", async () => {
    const answer = await order('{"item":"nothing","amount":1}');
    expect([answer.status, await answer.text()]).toEqual([500, ""]);
    expect(await app.logged("orders", '{ $.error.name = "RangeError" }')).toMatchObject({
      level: "WARN",
      error: { message: "there is nothing", stack: expect.stringContaining("/var/task/orders.mjs:") },
    });
  });

  test("where the function logs in JSON, its lines and metrics stay as they are", async () => {
    const requestContext = { requestId: "r-1", stage: "$default", http: { method: "POST", path: "/orders" } };
    const request = { rawPath: "/orders", headers: { "content-type": "application/json" }, requestContext };
    const body = JSON.stringify({ item: "lamp", amount: 5 });
    expect(await app.invoke("orders-in-json", { version: "2.0", ...request, body })).toMatchObject({ statusCode: 201 });
    expect(await app.logged("orders-in-json", "{ $.correlation_id = * }")).toMatchObject({
      level: "INFO",
      message: "ordered",
      service: "shop",
      correlation_id: "r-1",
      cold_start: true,
    });
    expect(await app.sum("Shop", "ColdStart", { service: "shop", function_name: "orders-in-json" })).toBe(1);
  });

  test("a batch of a table's stream tells the record that failed: it comes again, and what was before it does not", async () => {
    const dynamodb = new DynamoDBClient(app.platform.settings);
    for (const id of ["good", "bad"]) {
      await dynamodb.send(new PutItemCommand({ TableName: "items", Item: { id: { S: id } } }));
    }
    await app.logged("stream", '{ $.id = "bad" && $.times = 2 }');
    expect(await app.count("stream", '{ $.id = "good" }')).toBe(1);
  });

  test("a batch tells the records that failed; one that fails whole is an error", async () => {
    const Records = [record("m1", false), record("m2", true), record("m3", false)];
    expect(await app.invoke("batch", { Records })).toEqual({ batchItemFailures: [{ itemIdentifier: "m2" }] });
    expect(await app.invoke("batch", { Records: [record("m4", true)] })).toMatchObject({
      FunctionError: "Unhandled",
      errorType: "FullBatchFailureError",
    });
  });

  test("a payment is made once, with a setting read from a bucket; one that failed is made again", async () => {
    const s3 = new S3Client({ ...app.platform.settings, forcePathStyle: true });
    const put = (Body: string) =>
      s3.send(new PutObjectCommand({ Bucket: app.output("Bucket"), Key: "settings.json", Body }));
    await put('{"currency":"EUR"}');
    const paid = await app.invoke("payments", { id: "p1", amount: 5 });
    expect(paid).toEqual({ id: "p1", paid: "5 EUR", receipt: expect.any(String) });
    expect(await app.invoke("payments", { id: "p1", amount: 5 })).toEqual(paid);

    expect(await app.invoke("payments", { id: "p2", amount: -1 })).toMatchObject({ errorType: "RangeError" });
    await put('{"currency":"XXX"}');
    // The setting is kept for a minute.
    expect(await app.invoke("payments", { id: "p2", amount: 6 })).toMatchObject({ id: "p2", paid: "6 EUR" });
  });
});
