const express = require("express");
const serverlessExpress = require("@codegenie/serverless-express");
const withCallback = require("serverless-express-4");

const app = express();
app.use(express.json());
app.use(express.urlencoded({ extended: false }));

app.get("/", (_request, response) => response.send("<h1>home</h1>"));

app.get("/users/:id", (request, response) => {
  const { event, context } = serverlessExpress.getCurrentInvoke();
  response.set("x-request-id", context.awsRequestId);
  response.json({
    id: request.params.id,
    query: request.query,
    language: request.get("accept-language"),
    ip: request.ip,
    version: event.version ?? event.requestContext.stage,
  });
});

app.post("/users", (request, response) => response.status(201).location("/users/7").json({ made: request.body }));
app.put("/bytes", express.raw({ type: "application/octet-stream" }), (request, response) => {
  response.type("application/octet-stream").send(Buffer.from(request.body.toReversed()));
});

app.get("/login", (request, response) => {
  response.cookie("session", "a b", { httpOnly: true }).cookie("theme", "dark");
  response.json({ cookie: request.get("cookie") ?? null });
});
app.get("/pixel.png", (_request, response) => response.type("png").send(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 255])));
app.get("/old", (_request, response) => response.redirect(301, "/new"));
app.get("/fails", () => {
  throw new RangeError("out of range");
});

// Express tells an error handler by its four parameters.
app.use((error, _request, response, _next) => response.status(500).json({ error: error.message }));

const binarySettings = { contentTypes: ["image/*", "application/octet-stream"] };
exports.handler = serverlessExpress({ app, binarySettings });
exports.withCallback = withCallback({ app, binarySettings });
