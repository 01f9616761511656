import { arnSub } from "./arns.ts";
import { resolve, type Context } from "./context.ts";
import { invokePermission, type EventSource, type EventUse } from "./event-source.ts";
import { attributesOf, generate, type Generated } from "./generated.ts";
import { getAtt, makeIf, ref, referencedId, sub } from "./intrinsics.ts";
import { eventProblem, expectList, expectMap, ofEvent, ofResource, resourceProblem } from "./problems.ts";
import { queueMapping } from "./pull-events.ts";
import {
  asDict,
  asList,
  copyDict,
  dictOf,
  includesSame,
  isAbsent,
  isDict,
  isGiven,
  isList,
  isString,
  type Dict,
} from "./values.ts";

/** The resource of the same template that an event names with `Ref`. */
function linked(context: Context, value: unknown): { readonly id: string; readonly resource: Dict } | undefined {
  const id = isDict(value) ? value["Ref"] : undefined;
  const resource = isString(id) ? context.resources[id] : undefined;
  return isString(id) && isDict(resource) ? { id, resource } : undefined;
}

/** A resource of the template that an event has written into, as it now stands. */
function rewritten(id: string, resource: Dict): Generated {
  const type = isString(resource["Type"]) ? resource["Type"] : "";
  return generate(id, type, copyDict(asDict(resource["Properties"])), attributesOf(resource), resource["DependsOn"]);
}

const s3: EventSource = {
  properties: { Bucket: "string!", Events: "=string|list<string>!", Filter: "map<string>" },
  link(context, { eventId, properties }) {
    const bucket = properties["Bucket"];
    if (isDict(bucket) && Object.hasOwn(bucket, "Ref") && !isString(bucket["Ref"])) {
      throw eventProblem(eventId, "'Ref' value in S3 events is not a valid string.");
    }
    if (!linked(context, bucket)) {
      throw eventProblem(eventId, "S3 events must reference an S3 bucket in the same template.");
    }
  },
  generate(context, event) {
    const link = linked(context, event.properties["Bucket"]);
    if (!link) throw eventProblem(event.eventId, "S3 events must reference an S3 bucket in the same template.");
    const permission = invokePermission(event, { principal: "s3.amazonaws.com", sourceAccount: ref("AWS::AccountId") });
    addDependency(event, link.id, link.resource, permission);
    addNotifications(event, link.id, link.resource);
    return [permission, rewritten(link.id, link.resource)];
  },
};

/** The bucket can only be told to notify a function that it may invoke: the permission has to be there before it. */
function addDependency(event: EventUse, bucketId: string, bucket: Dict, permission: Generated): void {
  const condition = permission.attributes["Condition"];
  if (condition === undefined) {
    const existing = bucket["DependsOn"] ?? [];
    if (!isString(existing) && !(isList(existing) && existing.every(isString))) {
      throw resourceProblem(event.id, "Invalid type for field 'DependsOn'. Expected a string or list of strings.");
    }
    bucket["DependsOn"] = [...new Set([...asList(existing), permission.id])];
    return;
  }
  // DependsOn knows no conditions: a tag that refers to the permission under the condition orders the two.
  bucket["Properties"] ??= dictOf({});
  const properties = asDict(bucket["Properties"]);
  const tags = expectList(properties["Tags"] ?? [], "Tags", ofResource(bucketId));
  const Value = makeIf(condition, ref(permission.id), "no dependency");
  properties["Tags"] = [...tags, { Key: `sam:ConditionalDependsOn:${permission.id}`, Value }];
}

function addNotifications(event: EventUse, bucketId: string, bucket: Dict): void {
  const culprit = ofResource(bucketId);
  const properties = expectMap(bucket["Properties"] ?? dictOf({}), "", culprit, "Properties should be a map.");
  bucket["Properties"] = properties;
  properties["NotificationConfiguration"] ??= dictOf({});
  const config = expectMap(properties["NotificationConfiguration"], "NotificationConfiguration", culprit);
  config["LambdaConfigurations"] ??= [];
  const configurations = config["LambdaConfigurations"];
  if (!isList(configurations)) throw culprit("Invalid type for LambdaConfigurations. Must be a list.");
  const filter = event.properties["Filter"];
  const condition = event.target.inherited["Condition"];
  for (const type of asList(event.properties["Events"])) {
    const mapping = {
      Function: event.target.arn,
      ...(isAbsent(filter) ? {} : { Filter: filter }),
      Event: type,
    };
    const wanted = condition === undefined ? mapping : makeIf(condition, mapping);
    if (!includesSame(configurations, wanted)) configurations.push(wanted);
  }
}

const sns: EventSource = {
  properties: {
    Topic: "string!",
    Region: "string",
    FilterPolicy: "any",
    FilterPolicyScope: "any",
    SqsSubscription: "boolean|map",
    RedrivePolicy: "map",
  },
  generate(context, event) {
    const { properties } = event;
    const topic = properties["Topic"];
    const through = properties["SqsSubscription"];
    if (!isGiven(through)) {
      return [
        invokePermission(event, { principal: "sns.amazonaws.com", sourceArn: topic }),
        subscription(event, "lambda", event.target.arn),
      ];
    }
    if (through === true) {
      const queueId = `${event.id}Queue`;
      const isFifo = isFifoTopic(context, topic);
      const queue = generate(
        queueId,
        "AWS::SQS::Queue",
        isGiven(isFifo) ? { FifoQueue: isFifo } : {},
        event.target.inherited,
      );
      const arn = getAtt(queueId, "Arn");
      return [
        queueMapping(event, arn, 10),
        queue,
        queuePolicy(event, `${event.id}QueuePolicy`, arn, ref(queueId)),
        subscription(event, "sqs", arn),
      ];
    }
    const given = expectMap(through, "SqsSubscription", ofEvent(event.eventId));
    const { QueueArn: arn, QueueUrl: url, QueuePolicyLogicalId: policyId, BatchSize: size } = given;
    if (!isGiven(arn) || !isGiven(url)) throw eventProblem(event.eventId, "No QueueARN or QueueURL provided.");
    return [
      // AWS: `Enabled` of the subscription has no effect: the mapping is always enabled.
      queueMapping(event, arn, isGiven(size) ? size : 10),
      queuePolicy(event, isString(policyId) && policyId !== "" ? policyId : `${event.id}QueuePolicy`, arn, url),
      subscription(event, "sqs", arn),
    ];
  },
};

function isFifoTopic(context: Context, topic: unknown): unknown {
  const id = referencedId(topic);
  const resource = asDict(id === undefined ? undefined : context.resources[id]);
  return resolve(context, asDict(resource["Properties"])["FifoTopic"] ?? false);
}

function subscription(event: EventUse, protocol: string, endpoint: unknown): Generated {
  const { Topic, Region, FilterPolicy, FilterPolicyScope, RedrivePolicy } = event.properties;
  return generate(
    event.id,
    "AWS::SNS::Subscription",
    { Protocol: protocol, Endpoint: endpoint, TopicArn: Topic, Region, FilterPolicy, FilterPolicyScope, RedrivePolicy },
    event.target.inherited,
  );
}

function queuePolicy(event: EventUse, id: string, queueArn: unknown, queueUrl: unknown): Generated {
  const statement = {
    Action: "sqs:SendMessage",
    Effect: "Allow",
    Principal: "*",
    Resource: queueArn,
    Condition: { ArnEquals: { "aws:SourceArn": event.properties["Topic"] } },
  };
  return generate(
    id,
    "AWS::SQS::QueuePolicy",
    { PolicyDocument: { Version: "2012-10-17", Statement: [statement] }, Queues: [queueUrl] },
    event.target.inherited,
  );
}

const alexaSkill: EventSource = {
  properties: { SkillId: "string" },
  generate: (_context, event) => [
    invokePermission(event, { principal: "alexa-appkit.amazon.com", token: event.properties["SkillId"] }),
  ],
};

const iotRule: EventSource = {
  properties: { Sql: "string!", AwsIotSqlVersion: "string" },
  generate(context, event) {
    const { Sql, AwsIotSqlVersion } = event.properties;
    const permission = invokePermission(event, {
      principal: "iot.amazonaws.com",
      sourceArn: arnSub(context.partition, "iot", "rule/${RuleName}", { RuleName: ref(event.id) }),
      sourceAccount: sub("${AWS::AccountId}"),
    });
    const payload = {
      Sql,
      RuleDisabled: false,
      Actions: [{ Lambda: { FunctionArn: event.target.arn } }],
      ...(isGiven(AwsIotSqlVersion) ? { AwsIotSqlVersion } : {}),
    };
    return [
      permission,
      generate(event.id, "AWS::IoT::TopicRule", { TopicRulePayload: payload }, event.target.inherited),
    ];
  },
};

const noUserPool = "Cognito events must reference a Cognito UserPool in the same template.";

const cognito: EventSource = {
  properties: { UserPool: "string!", Trigger: "=string|list<string>!" },
  link(context, { id, eventId, properties }) {
    const pool = properties["UserPool"];
    if (isDict(pool) && Object.hasOwn(pool, "Ref") && !isString(pool["Ref"])) {
      throw eventProblem(id, "Ref in Userpool is not a string.");
    }
    if (!linked(context, pool)) throw eventProblem(eventId, noUserPool);
  },
  generate(context, event) {
    const link = linked(context, event.properties["UserPool"]);
    if (!link) throw eventProblem(event.eventId, noUserPool);
    const permission = invokePermission(event, {
      principal: "cognito-idp.amazonaws.com",
      sourceArn: getAtt(link.id, "Arn"),
      prefix: `${event.target.id}Cognito`,
    });
    link.resource["Properties"] ??= dictOf({});
    const properties = asDict(link.resource["Properties"]);
    properties["LambdaConfig"] ??= dictOf({});
    const config = expectMap(properties["LambdaConfig"], "LambdaConfig", ofResource(link.id));
    const trigger = event.properties["Trigger"];
    for (const name of asList(trigger).filter(isString)) {
      if (Object.hasOwn(config, name)) {
        const shown = isString(trigger)
          ? trigger
          : `[${asList(trigger)
              .map((one) => `'${String(one)}'`)
              .join(", ")}]`;
        throw eventProblem(event.eventId, `Cognito trigger "${shown}" defined multiple times.`);
      }
      config[name] = event.target.arn;
    }
    return [permission, rewritten(link.id, link.resource)];
  },
};

const cloudWatchLogs: EventSource = {
  properties: { LogGroupName: "string!", FilterPattern: "string!" },
  generate(context, event) {
    const { LogGroupName, FilterPattern } = event.properties;
    const permission = invokePermission(event, {
      principal: "logs.amazonaws.com",
      sourceArn: arnSub(context.partition, "logs", "log-group:${__LogGroupName__}:*", {
        __LogGroupName__: LogGroupName,
      }),
    });
    const filter = generate(
      event.id,
      "AWS::Logs::SubscriptionFilter",
      { LogGroupName, FilterPattern, DestinationArn: event.target.arn },
      event.target.inherited,
      [permission.id],
    );
    return [permission, filter];
  },
};

/** Sources that invoke the function themselves. */
export const pushEvents: Readonly<Record<string, EventSource>> = {
  S3: s3,
  SNS: sns,
  AlexaSkill: alexaSkill,
  IoTRule: iotRule,
  Cognito: cognito,
  CloudWatchLogs: cloudWatchLogs,
};
