import { once } from "node:events";
import { request } from "node:http";
import * as sdk from "@aws-sdk/client-cognito-identity-provider";
import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { policy, roleArn } from "../../../testing/access.ts";
import { createFakeClock, startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";
import { poolsOf } from "../../../testing/user-pools.ts";
import { inPool } from "../model.ts";

const clock = createFakeClock(Date.now());
let platform: TestPlatform;
let UserPoolId: string;
let header: string;

beforeAll(async () => {
  platform = await startTestPlatform({ durable: true, clock });
  UserPoolId = await poolsOf(platform).createPool({});
  const trust = { Effect: "Allow", Principal: { Service: "cognito-idp.amazonaws.com" }, Action: "sts:AssumeRole" };
  const role = { RoleName: "logger", AssumeRolePolicyDocument: policy(trust) };
  await new IAMClient(platform.settings).send(new CreateRoleCommand(role));
  const { CSVHeader = [] } = await cognito().send(new sdk.GetCSVHeaderCommand({ UserPoolId }));
  header = CSVHeader.join(",");
});
afterAll(() => platform.stop());

const cognito = () => poolsOf(platform).cognito;

async function createJob() {
  const job = { UserPoolId, JobName: "p", CloudWatchLogsRoleArn: roleArn("logger") };
  const { UserImportJob } = await cognito().send(new sdk.CreateUserImportJobCommand(job));
  return { JobId: UserImportJob?.JobId ?? "", url: UserImportJob?.PreSignedUrl ?? "" };
}

const put = async (url: string, body: string) => (await fetch(url, { method: "PUT", body })).status;

const lines = (count: number, text = "x") => `${Array.from({ length: count }, () => text).join("\n")}\n`;

const linesOf = (JobId: string) => inPool("import", UserPoolId, "lines", JobId);

/** How many batches there are of each file. */
async function batchesOf(JobId: string): Promise<readonly number[]> {
  const prefix = linesOf(JobId);
  const entries = await platform.platform.store.read((reader) => reader.range({ prefix }, { limit: 1_000 }));
  const files = Map.groupBy(entries, ({ key }) => key[prefix.length]);
  return [...files.values()].map((each) => each.length);
}

describe("Lines of a file that nobody will import are not kept", () => {
  test("when the file is refused midway", async () => {
    const { JobId, url } = await createJob();
    expect(await put(url, `${header}\n${lines(120)}${"y".repeat(16_001)}\n${lines(1_000_000)}`)).toBe(400);
    expect(await batchesOf(JobId)).toEqual([]);
  });

  test("when whoever sends it goes away", async () => {
    const { JobId, url } = await createJob();
    await sendHalf(JobId, url);
    // Gone for good: what is written goes on being looked at until nothing is there.
    await changed(JobId, (batches) => batches.length === 0);
  });

  test("when it is replaced by another, of which alone the lines stay", async () => {
    const { JobId, url } = await createJob();
    expect(await put(url, `${header}\n${lines(160)}`)).toBe(200);
    expect(await batchesOf(JobId)).toEqual([4]);
    expect(await put(url, `${header}\n${lines(60)}`)).toBe(200);
    expect(await batchesOf(JobId)).toEqual([2]);
    expect(await put(url, "")).toBe(400);
    expect(await batchesOf(JobId)).toEqual([2]);
  });

  test("when the job is started while it is sent: it is not taken, and the file before is", async () => {
    const { JobId, url } = await createJob();
    expect(await put(url, `${header}\n${lines(60)}`)).toBe(200);
    const late = await sendHalf(JobId, url, [2, 1]);
    await cognito().send(new sdk.StartUserImportJobCommand({ UserPoolId, JobId }));
    late.end(lines(120));
    expect(await late.status).toBe(409);
    await platform.platform.jobs.drain();
    expect(await batchesOf(JobId)).toEqual([]);
  });

  test("when lines are so long that fifty of them would not fit a value of the store", async () => {
    const { JobId, url } = await createJob();
    expect(await put(url, `${header}\n${lines(60, "€".repeat(16_000))}`)).toBe(200);
    expect(await batchesOf(JobId)).toEqual([5]);
  });

  test("when the job is not started within a day, whatever a crash has left of uploads", async () => {
    const { JobId, url } = await createJob();
    expect(await put(url, `${header}\n${lines(60)}`)).toBe(200);
    await platform.platform.store.transact(async (tx) => {
      for (let at = 0; at < 600; at += 1) tx.set([...linesOf(JobId), "cut-off", at], { firstLine: 1, lines: [] });
    });
    await platform.restart();
    await platform.platform.jobs.drain();
    expect((await batchesOf(JobId)).length).toBe(2);
    clock.advance(24 * 3_600_000);
    await platform.platform.jobs.drain();
    expect(await batchesOf(JobId)).toEqual([]);
  });
});

/** A file of which some lines are there and more will come. */
async function sendHalf(JobId: string, url: string, batches = [1]) {
  const sent = request(url, { method: "PUT", headers: { "content-length": header.length + 1 + 2 * 120 * 2 } });
  const status = once(sent, "response").then(([response]) => response.resume().statusCode);
  status.catch(() => {});
  sent.write(`${header}\n${lines(60)}`);
  const wanted = batches.toSorted((a, b) => a - b).join();
  await changed(JobId, (found) => found.toSorted((a, b) => a - b).join() === wanted);
  if (batches.length === 1) sent.destroy();
  return { end: (rest: string) => sent.end(rest), status };
}

async function changed(JobId: string, isSo: (batches: readonly number[]) => boolean): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = () => void batchesOf(JobId).then((found) => (isSo(found) ? resolve() : undefined), reject);
  const stop = platform.platform.store.watch(linesOf(JobId), look);
  look();
  await promise.finally(stop);
}
