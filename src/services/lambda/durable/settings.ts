import type { DurableConfig } from "@aws-sdk/client-lambda";
import { invalidParameter } from "../errors.ts";
import type { DurableSettings } from "../model.ts";
import { durableLimits } from "./limits.ts";

/** What a new function's `DurableConfig` says; nothing for a function that is not durable. */
export function newDurable(config: DurableConfig | undefined): { readonly durable?: DurableSettings } {
  if (!config) return {};
  if (config.ExecutionTimeout === undefined) {
    throw invalidParameter("You cannot create a function with a durable configuration without an executionTimeout");
  }
  return {
    durable: {
      executionTimeoutSeconds: config.ExecutionTimeout,
      retentionDays: config.RetentionPeriodInDays ?? durableLimits.retentionDaysDefault,
    },
  };
}

/** AWS: what an update leaves out stays, and a function that was created without durability cannot be given it. */
export function changeDurable(
  before: DurableSettings | undefined,
  config: DurableConfig | undefined,
): { readonly durable?: DurableSettings } {
  if (!config) return before ? { durable: before } : {};
  if (!before) {
    throw invalidParameter(
      "You cannot add a durable configuration to a function that was originally created with no durable configuration",
    );
  }
  return {
    durable: {
      executionTimeoutSeconds: config.ExecutionTimeout ?? before.executionTimeoutSeconds,
      retentionDays: config.RetentionPeriodInDays ?? before.retentionDays,
    },
  };
}
