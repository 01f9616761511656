import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const runtimes = join(import.meta.dirname, "../../runtimes");
const path = "/_cumulet/custom-resource/x";
const server = createServer((request, response) => response.end(`${request.method} ${request.url}`));
let endpoint: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address: AddressInfo | string | null = server.address();
  endpoint = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
});
afterAll(() => void server.close());

async function run(file: string, args: readonly string[]): Promise<unknown> {
  const env = { ...process.env, AWS_ENDPOINT_URL: endpoint };
  const { stdout } = await promisify(execFile)(file, args, { env, encoding: "utf8" });
  return JSON.parse(stdout);
}

const addresses = {
  "the platform's, by another machine's port": `http://127.0.0.1:1${path}`,
  "the platform's, not for answers": "http://127.0.0.1:1/other",
  "another's": `https://example.com${path}`,
};

/** Only the first is the platform's, here; others stay what they are. */
const due = () => [`${endpoint}${path}`, "http://127.0.0.1:1/other", `https://example.com${path}`];

test("Node.js: answers on port 443 reach the platform, and nothing else is led there", async () => {
  const script = `
    const { answerable } = require(${JSON.stringify(join(runtimes, "node/custom-resource.cjs"))});
    const events = ${JSON.stringify(Object.values(addresses))}.map((ResponseURL) => ({ ResponseURL }));
    events.forEach(answerable);
    const ask = (path) => new Promise((resolve) => {
      const given = { hostname: "127.0.0.1", port: 443, path, method: "PUT" };
      require("https").request(given, (response) => response.setEncoding("utf8").on("data", resolve))
        .on("error", () => resolve("refused")).end();
    });
    Promise.all([ask("${path}"), ask("/other")]).then((asked) =>
      console.log(JSON.stringify([...events.map((each) => each.ResponseURL), ...asked])));`;
  expect(await run(process.execPath, ["-e", script])).toEqual([...due(), `PUT ${path}`, "refused"]);
});

test("Python: connections of http.client to the host do, too", async () => {
  const script = `
import http.client, json, sys
sys.path.insert(0, ${JSON.stringify(join(runtimes, "python"))})
from _cumulet_custom_resource import make_answerable
events = [{"ResponseURL": url} for url in ${JSON.stringify(Object.values(addresses))}]
for event in events:
    make_answerable(event)
def ask(host):
    try:
        connection = http.client.HTTPSConnection(host, timeout=2)
        connection.request("PUT", "${path}")
        return connection.getresponse().read().decode()
    except OSError:
        return "refused"
print(json.dumps([event["ResponseURL"] for event in events] + [ask("127.0.0.1"), ask("127.0.0.1:1")]))`;
  expect(await run("python3", ["-c", script])).toEqual([...due(), `PUT ${path}`, "refused"]);
});
