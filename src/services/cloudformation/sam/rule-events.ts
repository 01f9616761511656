import { invokePermission, type EventSource, type EventTarget } from "./event-source.ts";
import { generate, type Generated } from "./generated.ts";
import { getAtt, ref } from "./intrinsics.ts";
import { eventProblem } from "./problems.ts";
import type { PropertyRules } from "./property-rules.ts";
import { asDict, isAbsent, isGiven, isString, type Dict } from "./values.ts";

export const scheduleProperties: PropertyRules = {
  Schedule: "string!",
  Input: "string",
  Enabled: "boolean",
  State: "string",
  Name: "string",
  Description: "string",
  DeadLetterConfig: "map",
  RetryPolicy: "map",
};

export const patternProperties: PropertyRules = {
  EventBusName: "string",
  RuleName: "string",
  Pattern: "map",
  DeadLetterConfig: "map",
  RetryPolicy: "map",
  Input: "string",
  InputPath: "string",
  Target: "map",
  State: "string",
  InputTransformer: "map",
};

const principal = "events.amazonaws.com";
const targetSuffix = "LambdaTarget";

/** An event as the parts of its rule need it. */
export interface RuleEvent {
  readonly id: string;
  readonly eventId: string;
  readonly properties: Dict;
  readonly target: EventTarget;
}

const schedule: EventSource = {
  // `RuleName` has never had an effect here; AWS accepts it.
  properties: { ...scheduleProperties, RuleName: "string" },
  generate(_context, event) {
    const { properties } = event;
    const state = ruleState(event);
    const dlq = deadLetters(event);
    const rule = eventsRule(event, {
      ScheduleExpression: properties["Schedule"],
      State: state,
      Name: properties["Name"],
      Description: properties["Description"],
      Targets: [
        {
          Arn: event.target.arn,
          Id: targetId(event.id, targetSuffix),
          ...present({ Input: properties["Input"] }),
          ...dlq.config,
          ...present({ RetryPolicy: properties["RetryPolicy"] }),
        },
      ],
    });
    return [rule, ...dlq.resources, invokePermission(event, { principal, sourceArn: getAtt(rule.id, "Arn") })];
  },
};

const pattern: EventSource = {
  properties: { ...patternProperties, Enabled: "boolean" },
  generate(_context, event) {
    const dlq = deadLetters(event);
    const rule = eventsRule(event, {
      ...patternRule(event),
      Targets: [patternTarget(event, targetSuffix, {}, dlq.config)],
    });
    return [...dlq.resources, rule, invokePermission(event, { principal, sourceArn: getAtt(rule.id, "Arn") })];
  },
};

export const ruleEvents: Readonly<Record<string, EventSource>> = {
  Schedule: schedule,
  CloudWatchEvent: pattern,
  EventBridgeRule: pattern,
};

export function eventsRule(event: RuleEvent, properties: Dict): Generated {
  return generate(event.id, "AWS::Events::Rule", properties, event.target.inherited);
}

export function patternRule(event: RuleEvent): Dict {
  const { properties } = event;
  return {
    EventBusName: properties["EventBusName"],
    EventPattern: properties["Pattern"],
    Name: properties["RuleName"],
    State: ruleState(event),
  };
}

export function patternTarget(event: RuleEvent, suffix: string, role: Dict, dlq: Dict): Dict {
  const { properties } = event;
  return {
    Arn: event.target.arn,
    Id: asDict(properties["Target"])["Id"] ?? targetId(event.id, suffix),
    ...role,
    ...present({ Input: properties["Input"], InputPath: properties["InputPath"] }),
    ...dlq,
    ...present({ RetryPolicy: properties["RetryPolicy"], InputTransformer: properties["InputTransformer"] }),
  };
}

/** `State`, or what the older `Enabled` says. */
export function ruleState({ eventId, properties }: RuleEvent): unknown {
  const { State: state, Enabled: enabled } = properties;
  if (isGiven(state) && !isAbsent(enabled)) {
    throw eventProblem(eventId, "State and Enabled Properties cannot both be specified.");
  }
  if (isAbsent(enabled)) return isGiven(state) ? state : undefined;
  return isGiven(enabled) ? "ENABLED" : "DISABLED";
}

/** Ids of targets have at most 64 characters. */
export function targetId(logicalId: string, suffix: string): string {
  return logicalId.slice(0, 64 - suffix.length) + suffix;
}

export function present(values: Dict): Dict {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => !isAbsent(value)));
}

export function checkDeadLetterConfig(id: string, config: Dict): void {
  const hasArn = Object.hasOwn(config, "Arn");
  const hasType = Object.hasOwn(config, "Type");
  if (hasArn && hasType) {
    throw eventProblem(id, "You can either define 'Arn' or 'Type' property of DeadLetterConfig.");
  }
  if (hasType && config["Type"] !== "SQS") {
    throw eventProblem(id, "The only valid value for 'Type' property of DeadLetterConfig is 'SQS'.");
  }
  if (!hasArn && !hasType) throw eventProblem(id, "No 'Arn' or 'Type' property provided for DeadLetterConfig.");
}

/** The id of a dead-letter queue to generate; the template may choose it. */
export function deadLetterQueueId(id: string, config: Dict): string {
  const chosen = config["QueueLogicalId"];
  if (!isAbsent(chosen) && !isString(chosen)) throw eventProblem(id, "QueueLogicalId must be a string");
  return isGiven(chosen) && isString(chosen) ? chosen : `${id}Queue`;
}

/** The dead-letter queue of a rule's target: the template's own, or one generated with its policy. */
export function deadLetters(event: RuleEvent): { readonly config: Dict; readonly resources: Generated[] } {
  const given = event.properties["DeadLetterConfig"];
  if (isAbsent(given)) return { config: {}, resources: [] };
  const config = asDict(given);
  checkDeadLetterConfig(event.id, config);
  if (!isAbsent(config["Arn"])) return { config: { DeadLetterConfig: { Arn: config["Arn"] } }, resources: [] };
  const queueId = deadLetterQueueId(event.id, config);
  const arn = getAtt(queueId, "Arn");
  const { inherited } = event.target;
  const statement = {
    Action: "sqs:SendMessage",
    Effect: "Allow",
    Principal: { Service: principal },
    Resource: arn,
    Condition: { ArnEquals: { "aws:SourceArn": getAtt(event.id, "Arn") } },
  };
  return {
    config: { DeadLetterConfig: { Arn: arn } },
    resources: [
      generate(queueId, "AWS::SQS::Queue", {}, inherited),
      generate(
        `${event.id}QueuePolicy`,
        "AWS::SQS::QueuePolicy",
        { PolicyDocument: { Version: "2012-10-17", Statement: [statement] }, Queues: [ref(queueId)] },
        inherited,
      ),
    ],
  };
}
