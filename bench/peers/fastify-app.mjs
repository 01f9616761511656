import Fastify from "fastify";

const app = Fastify();
app.get("/hello/:name", async (request, reply) => {
  reply.header("content-type", "application/json");
  return JSON.stringify({ message: `Hello, ${request.params.name}!` });
});
await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
