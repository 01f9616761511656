import { GetObjectCommand, PutObjectCommand, S3 } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request, type IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { expect, test } from "vitest";
import { clientSettings } from "../../src/testing/functions.ts";
import { startTestServer } from "../../src/testing/server.ts";

const mebibytes = Number(process.env["CUMULET_SOAK_MIB"] ?? 5 * 1024);
const growthMaxMb = 150;
const Bucket = "large";
const Key = "object";

test("an object of 5 GiB goes in and comes out with little memory, and is what it was", async () => {
  const server = await startTestServer();
  const s3 = new S3(clientSettings(server.environment));
  try {
    await s3.createBucket({ Bucket });
    await s3.putObject({ Bucket, Key, Body: "what the server needs for any object is loaded" });
    const memory = watchMemory(server.pid);
    const sent = createHash("sha256");
    const began = performance.now();
    const put = request(await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key })), {
      method: "PUT",
      headers: { "content-length": mebibytes * 2 ** 20 },
    });
    const answered = once(put, "response");
    await pipeline(Readable.from(content(sent), { objectMode: false }), put);
    const [answer] = (await answered) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBe(200);
    const putMs = performance.now() - began;

    const middle = performance.now();
    const got = createHash("sha256");
    let bytes = 0;
    const get = request(await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key }))).end();
    const [read] = (await once(get, "response")) as [IncomingMessage];
    for await (const chunk of read) {
      if (!(chunk instanceof Uint8Array)) continue;
      got.update(chunk);
      bytes += chunk.length;
    }
    const getMs = performance.now() - middle;
    const growthMb = memory.stop();
    const speed = (ms: number) => Math.round((mebibytes * 1000) / ms);
    process.stdout.write(`${JSON.stringify({ mebibytes, putMiBs: speed(putMs), getMiBs: speed(getMs), growthMb })}\n`);
    expect(bytes).toBe(mebibytes * 2 ** 20);
    expect(got.digest("hex")).toBe(sent.digest("hex"));
    expect(growthMb).toBeLessThan(growthMaxMb);
  } finally {
    s3.destroy();
    await server.stop();
  }
});

/** A mebibyte after the other, each with its number in it. */
async function* content(hash: ReturnType<typeof createHash>): AsyncIterable<Buffer> {
  for (let at = 0; at < mebibytes; at += 1) {
    const chunk = Buffer.alloc(2 ** 20, `${at} `);
    hash.update(chunk);
    yield chunk;
  }
}

/** @returns by how many MB resident memory has grown at the most */
function watchMemory(pid: number) {
  const now = () => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
  const first = now();
  let most = first;
  const timer = setInterval(() => (most = Math.max(most, now())), 100);
  return {
    stop: () => {
      clearInterval(timer);
      return Math.round(most - first);
    },
  };
}
