// @vercel/fun behind the smallest HTTP server: the event is the one that an HTTP API would have made of the request.
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFunction } from "@vercel/fun";

const folder = mkdtempSync(join(tmpdir(), "fun-"));
copyFileSync(new URL("hello.js", import.meta.url), join(folder, "hello.js"));
const hello = await createFunction({
  Code: { Directory: folder },
  Handler: "hello.handler",
  Runtime: "nodejs",
  MemorySize: 1024,
  Environment: { Variables: {} },
});
createServer(async (request, response) => {
  const event = { version: "2.0", routeKey: "GET /hello/{name}", rawPath: request.url, headers: request.headers };
  const answer = await hello({ ...event, pathParameters: { name: request.url.split("/").at(-1) } });
  response.writeHead(answer.statusCode, answer.headers);
  response.end(answer.body);
}).listen(Number(process.env.PORT), "127.0.0.1");

process.once("SIGTERM", () => {
  rmSync(folder, { recursive: true, force: true });
  void hello.destroy().finally(() => process.exit(0));
});
