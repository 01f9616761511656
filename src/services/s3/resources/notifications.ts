import type {
  Event,
  FilterRule,
  FilterRuleName,
  LambdaFunctionConfiguration,
  NotificationConfiguration,
} from "@aws-sdk/client-s3";
import { listOf, recordOf, textOf } from "./properties.ts";

/** `NotificationConfiguration` of a template, in the API's names. */
export function toNotifications(value: unknown): NotificationConfiguration {
  return { LambdaFunctionConfigurations: listOf(recordOf(value)?.["LambdaConfigurations"]).map(toConfiguration) };
}

function toConfiguration(value: unknown): LambdaFunctionConfiguration {
  const given = recordOf(value);
  const rules = listOf(recordOf(recordOf(given?.["Filter"])?.["S3Key"])?.["Rules"]);
  return {
    LambdaFunctionArn: textOf(given?.["Function"]) ?? "",
    Events: [parseEvent(textOf(given?.["Event"]) ?? "")],
    Filter: rules.length > 0 ? { Key: { FilterRules: rules.map(toFilterRule) } } : undefined,
  };
}

function toFilterRule(value: unknown): FilterRule {
  const given = recordOf(value);
  return { Name: parseFilterName(textOf(given?.["Name"]) ?? ""), Value: textOf(given?.["Value"]) ?? "" };
}

// What these say is checked by the operation, whichever values the SDK's version knows.
function parseEvent(text: string): Event {
  return text as Event;
}

function parseFilterName(text: string): FilterRuleName {
  return text as FilterRuleName;
}
