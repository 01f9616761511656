"use strict";
const { AsyncLocalStorage } = require("node:async_hooks");

/** The names under which libraries look for what an invocation is about. */
const keys = {
  requestId: Symbol.for("_AWS_LAMBDA_REQUEST_ID"),
  traceId: Symbol.for("_AWS_LAMBDA_X_RAY_TRACE_ID"),
  tenantId: Symbol.for("_AWS_LAMBDA_TENANT_ID"),
};
const ours = new Set(Object.values(keys));

/**
 * What belongs to one of several invocations at a time, found by whatever it has called. Has the interface of AWS's
 * `@aws/lambda-invoke-store`, which takes it from `awslambda.InvokeStore` where it is there.
 */
function createInvokeStore() {
  const storage = new AsyncLocalStorage();
  const get = (key) => storage.getStore()?.[key];
  return {
    run: (context, body) => storage.run(context, body),
    getContext: () => storage.getStore(),
    hasContext: () => storage.getStore() !== undefined,
    get,
    set(key, value) {
      if (ours.has(key)) throw new Error(`Cannot modify protected Lambda context field: ${String(key)}`);
      const context = storage.getStore();
      if (context === undefined) throw new Error("No context available");
      context[key] = value;
    },
    getRequestId: () => get(keys.requestId) ?? "-",
    getXRayTraceId: () => get(keys.traceId),
    getTenantId: () => get(keys.tenantId),
  };
}

module.exports = { createInvokeStore, keys };
