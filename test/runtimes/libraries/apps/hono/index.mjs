import { Hono } from "hono";
import { handle, streamHandle } from "hono/aws-lambda";
import { getCookie, setCookie } from "hono/cookie";
import { HTTPException } from "hono/http-exception";
import { streamSSE, streamText } from "hono/streaming";

const app = new Hono();

app.get("/users/:id", (c) => {
  const { event, lambdaContext, context } = c.env;
  c.header("x-request-id", (lambdaContext ?? context).awsRequestId);
  return c.json({
    id: c.req.param("id"),
    tags: c.req.queries("tag"),
    theme: getCookie(c, "theme"),
    version: event.version ?? event.requestContext.stage,
  });
});
app.post("/users", async (c) => c.json({ made: await c.req.json() }, 201));
app.put("/bytes", async (c) =>
  c.body(new Uint8Array(await c.req.arrayBuffer()).toReversed(), 200, { "content-type": "image/png" }),
);
app.get("/login", (c) => {
  setCookie(c, "session", "s1", { httpOnly: true });
  setCookie(c, "theme", "dark");
  return c.text("welcome");
});
app.get("/refused", () => {
  throw new HTTPException(418, { message: "a teapot" });
});
app.get("/fails", () => {
  throw new RangeError("out of range");
});

app.get("/stream", (c) =>
  streamText(c, async (stream) => {
    await stream.write("first ");
    await new Promise((resolve) => setTimeout(resolve, 300));
    await stream.write("second");
  }),
);
app.get("/events", (c) =>
  streamSSE(c, async (stream) => {
    for (const id of ["1", "2"]) await stream.writeSSE({ id, event: "tick", data: `tick ${id}` });
  }),
);

export const handler = handle(app);
export const streamed = streamHandle(app);
