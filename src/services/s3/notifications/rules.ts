import type { Event, FilterRule, LambdaFunctionConfiguration, NotificationConfiguration } from "@aws-sdk/client-s3";
import { parseArn } from "../../../aws/arn.ts";
import { notImplemented } from "../../../aws/error.ts";
import type { Ids } from "../../../kernel/ids.ts";
import { invalidArgument } from "../errors.ts";
import { s3Limits } from "../limits.ts";
import type { NotificationRule } from "../model.ts";

/**
 * Event types that can be asked for. Some never happen here, for what they tell of is not there: restores, replication,
 * transitions to other tiers. Source: "Event notification types and destinations", S3 User Guide.
 */
const eventTypes: ReadonlySet<string> = new Set([
  "s3:TestEvent",
  "s3:ObjectCreated:*",
  "s3:ObjectCreated:Put",
  "s3:ObjectCreated:Post",
  "s3:ObjectCreated:Copy",
  "s3:ObjectCreated:CompleteMultipartUpload",
  "s3:ObjectRemoved:*",
  "s3:ObjectRemoved:Delete",
  "s3:ObjectRemoved:DeleteMarkerCreated",
  "s3:ObjectRestore:*",
  "s3:ObjectRestore:Post",
  "s3:ObjectRestore:Completed",
  "s3:ObjectRestore:Delete",
  "s3:ReducedRedundancyLostObject",
  "s3:Replication:*",
  "s3:Replication:OperationFailedReplication",
  "s3:Replication:OperationMissedThreshold",
  "s3:Replication:OperationReplicatedAfterThreshold",
  "s3:Replication:OperationNotTracked",
  "s3:LifecycleExpiration:*",
  "s3:LifecycleExpiration:Delete",
  "s3:LifecycleExpiration:DeleteMarkerCreated",
  "s3:LifecycleTransition",
  "s3:IntelligentTiering",
  "s3:ObjectAcl:Put",
  "s3:ObjectTagging:*",
  "s3:ObjectTagging:Put",
  "s3:ObjectTagging:Delete",
]);

/** The rules of a configuration, checked. Destinations that are not built are refused by name. */
export function parseNotifications(input: NotificationConfiguration, ids: Ids): NotificationRule[] {
  for (const name of ["QueueConfigurations", "TopicConfigurations"] as const) {
    if ((input[name]?.length ?? 0) > 0) throw notImplemented(`${name} of PutBucketNotificationConfiguration`);
  }
  if (input.EventBridgeConfiguration) {
    throw notImplemented("EventBridgeConfiguration of PutBucketNotificationConfiguration");
  }
  const asked = input.LambdaFunctionConfigurations ?? [];
  if (asked.length > s3Limits.notificationsMax) {
    throw invalidArgument("The number of notification configurations exceeds the limit");
  }
  const rules = asked.map((each) => parseRule(each, ids));
  checkIds(rules);
  checkOverlaps(rules);
  return rules;
}

/** As GetBucketNotificationConfiguration answers. */
export function formatNotifications(rules: readonly NotificationRule[]): NotificationConfiguration {
  if (rules.length === 0) return {};
  return {
    LambdaFunctionConfigurations: rules.map(({ id, functionArn, events, prefix, suffix }) => ({
      Id: id,
      LambdaFunctionArn: functionArn,
      Events: events.map(parseEvent),
      ...((prefix ?? suffix) !== undefined && {
        Filter: {
          Key: {
            FilterRules: [
              // AWS answers the names with a capital.
              ...(prefix === undefined ? [] : [{ Name: parseFilterName("Prefix"), Value: prefix }]),
              ...(suffix === undefined ? [] : [{ Name: parseFilterName("Suffix"), Value: suffix }]),
            ],
          },
        },
      }),
    })),
  };
}

/** Whether a rule asks for what happened to a key. @param event without `s3:`, as `ObjectCreated:Put` */
export function matchesRule({ events, prefix, suffix }: NotificationRule, event: string, key: string): boolean {
  return (
    events.some((pattern) => covers(pattern, `s3:${event}`)) &&
    (prefix === undefined || key.startsWith(prefix)) &&
    (suffix === undefined || key.endsWith(suffix))
  );
}

function parseRule(
  { Id, LambdaFunctionArn = "", Events = [], Filter }: LambdaFunctionConfiguration,
  ids: Ids,
): NotificationRule {
  const arn = parseArn(LambdaFunctionArn);
  if (arn?.service !== "lambda" || !/^function:[\w-]+(:[\w$-]+)?$/.test(arn.resource)) {
    throw invalidArgument("The ARN could not be parsed", "FunctionArn", LambdaFunctionArn);
  }
  if (Events.length === 0) throw invalidArgument("A specified event is not supported for notifications.");
  for (const event of Events) {
    if (!eventTypes.has(event)) throw invalidArgument("The event is not supported for notifications", "Event", event);
  }
  const { prefix, suffix } = parseFilter(Filter?.Key?.FilterRules ?? []);
  return {
    id: Id === undefined || Id === "" ? ids.uuid() : Id,
    functionArn: LambdaFunctionArn,
    events: [...Events],
    ...(prefix !== undefined && { prefix }),
    ...(suffix !== undefined && { suffix }),
  };
}

function parseFilter(rules: readonly FilterRule[]): { readonly prefix?: string; readonly suffix?: string } {
  const found: { prefix?: string; suffix?: string } = {};
  for (const { Name = "", Value = "" } of rules) {
    const name = Name.toLowerCase();
    if (name !== "prefix" && name !== "suffix") {
      throw invalidArgument("filter rule name must be either prefix or suffix", "FilterRule.Name", Name);
    }
    if (found[name] !== undefined) {
      throw invalidArgument(`Cannot specify more than one ${name} rule in a filter.`, "FilterRule.Name", Name);
    }
    if (Buffer.byteLength(Value) > s3Limits.keyBytesMax) {
      throw invalidArgument("Size of filter rule value cannot exceed 1024 bytes in UTF-8 encoding", "FilterRule.Value");
    }
    found[name] = Value;
  }
  return found;
}

function checkIds(rules: readonly NotificationRule[]): void {
  if (rules.some(({ id }) => id.length > s3Limits.ruleIdCharactersMax)) {
    throw invalidArgument("ID length should not exceed allowed limit of 255");
  }
  if (new Set(rules.map(({ id }) => id)).size < rules.length) {
    throw invalidArgument("Found two configurations with the same ID. Configuration ID must be unique.");
  }
}

/** AWS: no object may be told of twice for one event. */
function checkOverlaps(rules: readonly NotificationRule[]): void {
  for (const [at, rule] of rules.entries()) {
    for (const other of rules.slice(at + 1)) {
      const sameEvent = rule.events.some((a) => other.events.some((b) => covers(a, b) || covers(b, a)));
      const samePrefix = meets(rule.prefix, other.prefix, (a, b) => a.startsWith(b));
      const sameSuffix = meets(rule.suffix, other.suffix, (a, b) => a.endsWith(b));
      if (sameEvent && samePrefix && sameSuffix) {
        throw invalidArgument(
          "Configurations overlap. Configurations on the same bucket cannot share a common event type.",
        );
      }
    }
  }
}

function meets(a = "", b = "", within: (a: string, b: string) => boolean): boolean {
  return within(a, b) || within(b, a);
}

function covers(pattern: string, event: string): boolean {
  return pattern === event || (pattern.endsWith(":*") && event.startsWith(pattern.slice(0, -1)));
}

// Whichever values the SDK's version knows.
function parseEvent(text: string): Event {
  return text as Event;
}

function parseFilterName(text: string): NonNullable<FilterRule["Name"]> {
  return text as NonNullable<FilterRule["Name"]>;
}
