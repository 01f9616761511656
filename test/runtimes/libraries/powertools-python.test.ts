import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deployApp, type DeployedApp } from "./deployed-app.ts";
import { makePackages, pythonRuntime } from "./packages.ts";

const made = await makePackages("powertools-python", "powertools-python-layer");
if ("missing" in made) process.stderr.write(`skipped: ${made.missing}\n`);

const record = (messageId: string, bad: boolean) => ({
  messageId,
  eventSource: "aws:sqs",
  body: JSON.stringify({ bad }),
});

describe.skipIf("missing" in made)("Powertools for AWS Lambda (Python) in a layer", () => {
  let app: DeployedApp;
  beforeAll(async () => {
    const Runtime = await pythonRuntime();
    app = await deployApp("powertools-python", "zips" in made ? made.zips : {}, { Runtime });
  });
  afterAll(() => app.stop());

  test("a route's log lines have the request, the correlation id, the cold start and the trace", async () => {
    const Root = "1-5bef4de7-ad49b0e87f6ef6c87fc2e700";
    const headers = { "x-amzn-trace-id": `Root=${Root};Parent=9a9197af755a6419;Sampled=0`, "user-agent": "test" };
    const answer = await fetch(`${app.url("HttpApi")}/orders/7?size=m`, { headers });
    expect([answer.status, await answer.json()]).toEqual([200, { number: "7", sizes: "m", agent: "test" }]);
    expect(answer.headers.getSetCookie()).toEqual(["seen=7; Secure", "theme=dark; Secure"]);

    expect(await app.logged("orders", '{ $.number = "7" }')).toMatchObject({
      level: "INFO",
      message: "shown",
      service: "shop",
      cold_start: true,
      function_name: "orders",
      function_memory_size: "512",
      function_arn: "arn:aws:lambda:us-east-1:000000000000:function:orders",
      function_request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      correlation_id: answer.headers.get("apigw-requestid"),
      xray_trace_id: Root,
      location: expect.stringMatching(/^show:\d+$/),
    });
  });

  test("behind a REST API, warm, it is the same", async () => {
    // Sampled: segments are sent, and nobody listens.
    const headers = { "x-amzn-trace-id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1" };
    const answer = await fetch(`${app.url("RestApi")}/orders/8`, { headers });
    expect(await answer.json()).toMatchObject({ number: "8", sizes: null });
    expect(answer.headers.getSetCookie()).toEqual(["seen=8; Secure", "theme=dark; Secure"]);
    expect(await app.logged("orders", '{ $.number = "8" }')).toMatchObject({
      cold_start: false,
      correlation_id: answer.headers.get("x-amzn-requestid"),
    });
  });

  test("what it counts becomes metrics in CloudWatch, its cold start too", async () => {
    for (const amount of [2, 1000]) {
      const answer = await fetch(`${app.url("HttpApi")}/orders`, { method: "POST", body: JSON.stringify({ amount }) });
      expect([answer.status, await answer.json()]).toEqual([201, { amount }]);
    }
    expect(await app.sum("Shop", "ColdStart", { service: "shop", function_name: "orders" })).toBe(1);
    expect(await app.sum("Shop", "ordered", { service: "shop" })).toBeGreaterThanOrEqual(2);
  });

  test("a refusal, a route that is not there and bytes are answers; an error is the gateway's", async () => {
    const refused = await fetch(`${app.url("HttpApi")}/orders`, { method: "POST", body: "{}" });
    expect([refused.status, await refused.json()]).toEqual([
      400,
      { statusCode: 400, message: "An order has an amount" },
    ]);
    expect((await fetch(`${app.url("HttpApi")}/nowhere`)).status).toBe(404);
    const pixel = await fetch(`${app.url("HttpApi")}/pixel`);
    expect(await pixel.bytes()).toEqual(new Uint8Array([0x89, 0x50, 0, 255]));
    const failed = await fetch(`${app.url("HttpApi")}/fails`);
    expect([failed.status, await failed.json()]).toEqual([500, { message: "Internal Server Error" }]);
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
      errorType: "BatchProcessingError",
    });
  });

  test("a payment is made once, with a setting read from a bucket; one that failed is made again", async () => {
    const s3 = new S3Client({ ...app.platform.settings, forcePathStyle: true });
    const Bucket = app.output("Bucket");
    await s3.send(new PutObjectCommand({ Bucket, Key: "settings.json", Body: '{"currency":"EUR"}' }));
    const paid = await app.invoke("payments", { id: "p1", amount: 5 });
    expect(paid).toEqual({ id: "p1", paid: "5 EUR", receipt: expect.any(String) });
    expect(await app.invoke("payments", { id: "p1", amount: 5 })).toEqual(paid);

    expect(await app.invoke("payments", { id: "p2", amount: -1 })).toMatchObject({ errorType: "ValueError" });
    expect(await app.invoke("payments", { id: "p2", amount: 6 })).toMatchObject({ id: "p2", paid: "6 EUR" });
  });
});
