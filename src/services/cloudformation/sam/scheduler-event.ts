import { invokePolicy, sqsSendPolicy } from "./event-invoke.ts";
import type { EventSource } from "./event-source.ts";
import { generate, type Generated } from "./generated.ts";
import { getAtt } from "./intrinsics.ts";
import { eventProblem } from "./problems.ts";
import type { PropertyRules } from "./property-rules.ts";
import { assumeRolePolicy } from "./role.ts";
import { checkDeadLetterConfig, deadLetterQueueId, present, type RuleEvent } from "./rule-events.ts";
import { asDict, isAbsent, isGiven, type Dict } from "./values.ts";

export const scheduleV2Properties: PropertyRules = {
  PermissionsBoundary: "string",
  ScheduleExpression: "string!",
  FlexibleTimeWindow: "map",
  Name: "string",
  State: "string",
  Description: "string",
  StartDate: "string",
  EndDate: "string",
  ScheduleExpressionTimezone: "string",
  GroupName: "string",
  KmsKeyArn: "string",
  Input: "string",
  RoleArn: "string",
  DeadLetterConfig: "map",
  RetryPolicy: "map",
  OmitName: "=boolean",
};

/** `ScheduleV2` events: an EventBridge Scheduler schedule with the role to invoke the function. */
export const scheduleV2Event: EventSource = {
  properties: scheduleV2Properties,
  generate: (_context, event) => scheduleV2(event, invokePolicy(event.target.arn, event.id)),
};

export function scheduleV2(event: RuleEvent, policy: Dict): Generated[] {
  const { properties, id, target } = event;
  if (isGiven(properties["OmitName"]) && isGiven(properties["Name"])) {
    throw eventProblem(id, "Name cannot be set when OmitName is True");
  }
  const queue = deadLetterQueue(event);
  const role = isGiven(properties["RoleArn"]) ? [] : [executionRole(event, policy, queue.arn)];
  const schedule = generate(
    id,
    "AWS::Scheduler::Schedule",
    {
      ScheduleExpression: properties["ScheduleExpression"],
      State: isGiven(properties["State"]) ? properties["State"] : undefined,
      Name: isGiven(properties["OmitName"]) ? undefined : isGiven(properties["Name"]) ? properties["Name"] : id,
      FlexibleTimeWindow: isGiven(properties["FlexibleTimeWindow"])
        ? properties["FlexibleTimeWindow"]
        : { Mode: "OFF" },
      ...present(
        Object.fromEntries(
          ["Description", "StartDate", "EndDate", "ScheduleExpressionTimezone", "GroupName", "KmsKeyArn"].map(
            (name) => [name, properties[name]],
          ),
        ),
      ),
      Target: {
        Arn: target.arn,
        RoleArn: role[0] ? getAtt(role[0].id, "Arn") : properties["RoleArn"],
        ...present({ Input: properties["Input"] }),
        ...(queue.arn === undefined ? {} : { DeadLetterConfig: { Arn: queue.arn } }),
        ...present({ RetryPolicy: properties["RetryPolicy"] }),
      },
    },
    target.inherited,
  );
  return [schedule, ...queue.resources, ...role];
}

function deadLetterQueue(event: RuleEvent): { readonly arn?: unknown; readonly resources: Generated[] } {
  const given = event.properties["DeadLetterConfig"];
  if (isAbsent(given)) return { resources: [] };
  const config = asDict(given);
  checkDeadLetterConfig(event.id, config);
  if (!isAbsent(config["Arn"])) return { arn: config["Arn"], resources: [] };
  const queueId = deadLetterQueueId(event.id, config);
  return {
    arn: getAtt(queueId, "Arn"),
    resources: [generate(queueId, "AWS::SQS::Queue", {}, event.target.inherited)],
  };
}

function executionRole(event: RuleEvent, policy: Dict, queueArn: unknown): Generated {
  const boundary = event.properties["PermissionsBoundary"];
  return generate(
    `${event.id}Role`,
    "AWS::IAM::Role",
    {
      AssumeRolePolicyDocument: assumeRolePolicy("scheduler.amazonaws.com"),
      Policies: queueArn === undefined ? [policy] : [policy, sqsSendPolicy(queueArn, event.id)],
      PermissionsBoundary: isGiven(boundary) ? boundary : undefined,
    },
    event.target.inherited,
  );
}
