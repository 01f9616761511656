import { Logger } from "@aws-lambda-powertools/logger";
import { correlationPaths, search } from "@aws-lambda-powertools/logger/correlationId";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { logMetrics } from "@aws-lambda-powertools/metrics/middleware";
import { Tracer } from "@aws-lambda-powertools/tracer";
import { captureLambdaHandler } from "@aws-lambda-powertools/tracer/middleware";
import middy from "@middy/core";
import httpErrorHandler from "@middy/http-error-handler";
import httpJsonBodyParser from "@middy/http-json-body-parser";
import validator from "@middy/validator";
import { transpileSchema } from "@middy/validator/transpile";

const logger = new Logger({ correlationIdSearchFn: search });
const metrics = new Metrics();
const tracer = new Tracer();
const order = {
  type: "object",
  required: ["body"],
  properties: {
    body: {
      type: "object",
      required: ["item", "amount"],
      properties: { item: { type: "string" }, amount: { type: "integer", minimum: 1 } },
    },
  },
};

export const handler = middy()
  .use(injectLambdaContext(logger, { correlationIdPath: correlationPaths.API_GATEWAY_HTTP, resetKeys: true }))
  .use(captureLambdaHandler(tracer))
  .use(logMetrics(metrics, { captureColdStartMetric: true }))
  .use(httpErrorHandler({ logger: (error) => logger.warn("refused", error) }))
  .use(httpJsonBodyParser())
  .use(validator({ eventSchema: transpileSchema(order) }))
  .handler(async ({ body: { item, amount } }) => {
    if (item === "nothing") throw new RangeError("there is nothing");
    logger.appendKeys({ item });
    logger.info("ordered", { amount });
    metrics.addDimension("kind", "online");
    metrics.addMetric("ordered", MetricUnit.Count, amount);
    tracer.putAnnotation("item", item);
    return {
      statusCode: 201,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ item, trace: tracer.getRootXrayTraceId() ?? null }),
    };
  });
