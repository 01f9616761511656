/** An extension in Node.js, as an executable: registers, then does with each event what `body` says. */
export function extensionScript(body: string, events: readonly string[] = ["INVOKE", "SHUTDOWN"]): string {
  return `#!/usr/bin/env node
const http = require("node:http"), path = require("node:path"), fs = require("node:fs");
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const name = path.basename(__filename);
const call = (method, url, headers = {}, body) => new Promise((resolve, reject) => {
  const request = http.request({ host, port, method, path: url, headers }, (response) => {
    let text = "";
    response.on("data", (chunk) => (text += chunk));
    response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text, body: json(text) }));
  });
  request.on("error", reject);
  request.end(body);
});
const json = (text) => { try { return JSON.parse(text); } catch { return undefined; } };
const api = "/2020-01-01/extension";
const register = (events = ${JSON.stringify(events)}) =>
  call("POST", api + "/register", { "Lambda-Extension-Name": name, "Lambda-Extension-Accept-Feature": "accountId" }, JSON.stringify({ events }));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const say = (...values) => fs.writeSync(1, values.map((value) => typeof value === "string" ? value : JSON.stringify(value)).join(" ") + "\\n");
let id;
const next = async () => (await call("GET", api + "/event/next", { "Lambda-Extension-Identifier": id })).body;
(async () => { ${body} })();
`;
}

/** Registers, tells its events in the log, and ends when it is told to. */
export const watcher = extensionScript(`
  const answer = await register();
  id = answer.headers["lambda-extension-identifier"];
  say("registered", answer.body);
  for (;;) {
    const event = await next();
    say("event", event);
    if (event.eventType === "SHUTDOWN") process.exit(0);
  }
`);
