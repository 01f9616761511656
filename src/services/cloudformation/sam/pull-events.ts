import { managedPolicyArn } from "./arns.ts";
import { resolve, type Context } from "./context.ts";
import { s3PutPolicy, snsPublishPolicy, sqsSendPolicy } from "./event-invoke.ts";
import type { EventSource, EventUse } from "./event-source.ts";
import { generate, type Generated } from "./generated.ts";
import { isIntrinsic, ref, sub } from "./intrinsics.ts";
import { eventProblem, expectMap, expectString, ofEvent } from "./problems.ts";
import type { PropertyRules } from "./property-rules.ts";
import { allow, inlinePolicy } from "./role.ts";
import {
  asDict,
  asList,
  copy,
  copyDict,
  display,
  includesSame,
  isAbsent,
  isDict,
  isGiven,
  isList,
  isString,
  isSame,
  type Dict,
} from "./values.ts";

const mappingProperties: PropertyRules = {
  BatchSize: "integer",
  StartingPosition: "any",
  StartingPositionTimestamp: "any",
  Enabled: "boolean",
  MaximumBatchingWindowInSeconds: "integer",
  MaximumRetryAttempts: "integer",
  BisectBatchOnFunctionError: "boolean",
  MaximumRecordAgeInSeconds: "integer",
  DestinationConfig: "map",
  ParallelizationFactor: "integer",
  Topics: "list",
  Queues: "list",
  SourceAccessConfigurations: "list",
  SecretsManagerKmsKeyId: "string",
  TumblingWindowInSeconds: "integer",
  FunctionResponseTypes: "list",
  KafkaBootstrapServers: "list",
  FilterCriteria: "map",
  KmsKeyArn: "any",
  ConsumerGroupId: "string",
  ScalingConfig: "map",
  ProvisionedPollerConfig: "map",
  SchemaRegistryConfig: "map",
  MetricsConfig: "map",
  LoggingConfig: "map",
};

/** Properties that go to the event source mapping as they are. */
const passed = [
  "StartingPosition",
  "StartingPositionTimestamp",
  "BatchSize",
  "Enabled",
  "MaximumBatchingWindowInSeconds",
  "MaximumRetryAttempts",
  "BisectBatchOnFunctionError",
  "MaximumRecordAgeInSeconds",
  "DestinationConfig",
  "ParallelizationFactor",
  "Topics",
  "Queues",
  "SourceAccessConfigurations",
  "TumblingWindowInSeconds",
  "FunctionResponseTypes",
  "FilterCriteria",
  "KmsKeyArn",
  "ScalingConfig",
  "ProvisionedPollerConfig",
  "MetricsConfig",
  "LoggingConfig",
];

interface PullKind {
  readonly type: string;
  readonly properties: PropertyRules;
  /** The property that is the event source's ARN. */
  readonly source?: string;
  /** The managed policy that lets the function poll. */
  readonly managedPolicy?: string;
  readonly extra?: (event: EventUse) => Dict;
  /** What else the function's role needs; checks what it is made of. */
  readonly policies?: (context: Context, event: EventUse) => Dict[];
}

const kinds: readonly PullKind[] = [
  stream("Kinesis", "AWSLambdaKinesisExecutionRole"),
  stream("DynamoDB", "AWSLambdaDynamoDBExecutionRole"),
  { type: "SQS", properties: { Queue: "any!" }, source: "Queue", managedPolicy: "AWSLambdaSQSQueueExecutionRole" },
  {
    ...stream("MSK", "AWSLambdaMSKExecutionRole"),
    extra: kafkaConfig("AmazonManagedKafkaEventSourceConfig"),
    policies: mskPolicies,
  },
  { type: "MQ", properties: { Broker: "any!", DynamicPolicyName: "=boolean" }, source: "Broker", policies: mqPolicies },
  {
    type: "SelfManagedKafka",
    properties: {},
    extra: kafkaConfig("SelfManagedKafkaEventSourceConfig"),
    policies: selfManagedKafkaPolicies,
  },
  {
    type: "DocumentDB",
    properties: { Cluster: "any!", DatabaseName: "any!", CollectionName: "any", FullDocument: "any" },
    source: "Cluster",
    extra: documentDbConfig,
    policies: documentDbPolicies,
  },
];

function stream(type: string, managedPolicy: string): PullKind {
  return { type, properties: { Stream: "any!", StartingPosition: "any!" }, source: "Stream", managedPolicy };
}

const filtering = ["DocumentDB", "DynamoDB", "Kinesis", "MQ", "MSK", "SelfManagedKafka", "SQS"];

/** Sources that Lambda polls through an event source mapping. */
export const pullEvents: Readonly<Record<string, EventSource>> = Object.fromEntries(
  kinds.map((kind): [string, EventSource] => [
    kind.type,
    {
      properties: { ...mappingProperties, ...kind.properties },
      generate: (context, event) => [mapping(context, event, kind)],
    },
  ]),
);

/** The mapping of a queue that an SNS subscription puts in between. */
export function queueMapping(event: EventUse, queueArn: unknown, batchSize: unknown): Generated {
  addManagedPolicy(event.role, queuePolicyArn(event.role));
  return generate(
    `${event.id}EventSourceMapping`,
    "AWS::Lambda::EventSourceMapping",
    { FunctionName: ref(event.target.id), EventSourceArn: queueArn, BatchSize: batchSize, Enabled: true },
    event.target.inherited,
  );
}

/** In the partition of the policies that the role already has. */
function queuePolicyArn(role: Generated): string {
  const first = asList(role.properties["ManagedPolicyArns"]).find(isString) ?? "arn:aws:";
  return managedPolicyArn(first.split(":")[1] ?? "aws", "service-role/AWSLambdaSQSQueueExecutionRole");
}

function mapping(context: Context, event: EventUse, kind: PullKind): Generated {
  const { properties, id } = event;
  checkFilterCriteria(event, kind.type);
  const servers = properties["KafkaBootstrapServers"];
  if (isGiven(properties["ConsumerGroupId"]) && !["MSK", "SelfManagedKafka"].includes(kind.type)) {
    throw eventProblem(id, `Property ConsumerGroupId not defined for resource of type ${kind.type}.`);
  }
  const destinationPolicy = takeDestinationPolicy(event);
  const resource = generate(
    id,
    "AWS::Lambda::EventSourceMapping",
    {
      FunctionName: ref(event.target.id),
      EventSourceArn: kind.source === undefined ? undefined : properties[kind.source],
      ...Object.fromEntries(passed.map((name) => [name, properties[name]])),
      ...(isGiven(properties["DestinationConfig"]) ? {} : { DestinationConfig: undefined }),
      ...(isGiven(servers) ? { SelfManagedEventSource: { Endpoints: { KafkaBootstrapServers: servers } } } : {}),
      ...kind.extra?.(event),
    },
    event.target.inherited,
  );
  const policies = kind.policies?.(context, event) ?? [];
  if (kind.managedPolicy !== undefined) {
    addManagedPolicy(event.role, managedPolicyArn(context.partition, `service-role/${kind.managedPolicy}`));
  }
  for (const policy of [...policies, ...destinationPolicy]) addInlinePolicy(event.role, policy);
  return resource;
}

function addManagedPolicy(role: Generated, arn: string): void {
  const arns = role.properties["ManagedPolicyArns"];
  if (isList(arns) && !includesSame(arns, arn)) arns.push(arn);
}

/** Two policies with the same document are one. */
function addInlinePolicy(role: Generated, policy: Dict): void {
  const existing = role.properties["Policies"];
  const policies = isList(existing) ? existing : [];
  if (policies.some((one) => isSame(asDict(one)["PolicyDocument"], policy["PolicyDocument"]))) return;
  role.properties["Policies"] = [...policies, policy];
}

function checkFilterCriteria(event: EventUse, type: string): void {
  const criteria = event.properties["FilterCriteria"];
  if (!isGiven(criteria) || isIntrinsic(criteria)) return;
  if (!filtering.includes(type)) {
    throw eventProblem(event.eventId, `FilterCriteria is only available for ${filtering.join(", ")} events.`);
  }
  if (!isSame(Object.keys(asDict(criteria)), ["Filters"])) {
    throw eventProblem(event.eventId, "FilterCriteria field has a wrong format");
  }
}

/** `DestinationConfig.OnFailure.Type` is SAM's own: it says what the role must be allowed. */
function takeDestinationPolicy(event: EventUse): Dict[] {
  const config = event.properties["DestinationConfig"];
  if (!isDict(config) || !isGiven(config)) return [];
  const onFailure = copyDict(expectMap(config["OnFailure"], "DestinationConfig.OnFailure", ofEvent(event.id)));
  const { Type: type, Destination: arn } = onFailure;
  event.properties["DestinationConfig"] = { ...config, OnFailure: onFailure };
  if (!isGiven(type)) return [];
  Reflect.deleteProperty(onFailure, "Type");
  switch (type) {
    case "SQS":
      return [sqsSendPolicy(arn, event.id)];
    case "SNS":
      return [snsPublishPolicy(arn, event.id)];
    case "S3":
      return [s3PutPolicy(arn, event.id)];
    case "Kafka":
      return [];
    default:
      throw eventProblem(event.id, "The only valid values for 'Type' are 'SQS', 'SNS', 'S3', and 'Kafka'");
  }
}

function kafkaConfig(name: string): (event: EventUse) => Dict {
  return ({ properties }) => {
    const { ConsumerGroupId, SchemaRegistryConfig } = properties;
    const config = {
      ...(isGiven(ConsumerGroupId) ? { ConsumerGroupId } : {}),
      ...(isGiven(SchemaRegistryConfig) ? { SchemaRegistryConfig: copy(SchemaRegistryConfig) } : {}),
    };
    return isGiven(config) ? { [name]: config } : {};
  };
}

function documentDbConfig({ properties }: EventUse): Dict {
  const { DatabaseName, CollectionName, FullDocument } = properties;
  return {
    DocumentDBEventSourceConfig: {
      DatabaseName,
      ...(isGiven(CollectionName) ? { CollectionName } : {}),
      ...(isGiven(FullDocument) ? { FullDocument } : {}),
    },
  };
}

const readSecret = (uri: unknown): Dict => allow(["secretsmanager:GetSecretValue"], uri);

const useNetwork = (): Dict =>
  allow(
    [
      "ec2:CreateNetworkInterface",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DeleteNetworkInterface",
      "ec2:DescribeVpcs",
      "ec2:DescribeSubnets",
      "ec2:DescribeSecurityGroups",
    ],
    "*",
  );

function decryptSecret(event: EventUse, inList = true): Dict[] {
  const key = event.properties["SecretsManagerKmsKeyId"];
  if (!isGiven(key)) return [];
  const id = expectString(key, "SecretsManagerKmsKeyId", ofEvent(event.eventId));
  const arn = sub(`arn:\${AWS::Partition}:kms:\${AWS::Region}:\${AWS::AccountId}:key/${id}`);
  return [allow(inList ? ["kms:Decrypt"] : "kms:Decrypt", arn)];
}

/** Checks `SourceAccessConfigurations` and gives the one secret that must be there. */
function basicAuthSecret(event: EventUse, type: string, supported: readonly string[]): unknown {
  const { eventId, properties } = event;
  const configurations = properties["SourceAccessConfigurations"];
  if (!isGiven(configurations)) {
    throw eventProblem(eventId, `No SourceAccessConfigurations for Amazon ${type} event provided.`);
  }
  if (!isList(configurations)) {
    throw eventProblem(eventId, "Provided SourceAccessConfigurations cannot be parsed into a list.");
  }
  let secret: unknown;
  for (const [index, value] of configurations.entries()) {
    const path = `SourceAccessConfigurations[${index}]`;
    const config = expectMap(value, path, ofEvent(eventId));
    const kind = expectString(config["Type"], `${path}.Type`, ofEvent(eventId));
    if (!supported.includes(kind)) {
      throw eventProblem(
        eventId,
        `Invalid property Type specified in SourceAccessConfigurations. The supported values are: ${display(supported)}.`,
      );
    }
    if (kind !== "BASIC_AUTH") continue;
    if (isGiven(secret)) {
      throw eventProblem(eventId, "Multiple BASIC_AUTH properties specified in SourceAccessConfigurations.");
    }
    secret = config["URI"];
    if (!isGiven(secret)) {
      throw eventProblem(eventId, "No BASIC_AUTH URI property specified in SourceAccessConfigurations.");
    }
  }
  if (isGiven(secret)) return secret;
  throw eventProblem(eventId, "No BASIC_AUTH property specified in SourceAccessConfigurations.");
}

function mqPolicies(_context: Context, event: EventUse): Dict[] {
  const secret = basicAuthSecret(event, "MQ", ["BASIC_AUTH", "VIRTUAL_HOST"]);
  const name = isGiven(event.properties["DynamicPolicyName"]) ? `${event.id}AMQPolicy` : "SamAutoGeneratedAMQPolicy";
  return [
    inlinePolicy(name, [
      readSecret(secret),
      allow(["mq:DescribeBroker"], event.properties["Broker"]),
      ...decryptSecret(event, false),
    ]),
  ];
}

const rds = (resource: string): Dict =>
  sub(`arn:\${AWS::Partition}:rds:\${AWS::Region}:\${AWS::AccountId}:${resource}:*`);

function documentDbPolicies(_context: Context, event: EventUse): Dict[] {
  const secret = basicAuthSecret(event, "DocumentDB", ["BASIC_AUTH"]);
  return [
    inlinePolicy("SamAutoGeneratedDocumentDBPolicy", [
      readSecret(secret),
      allow(["rds:DescribeDBClusterParameters"], rds("cluster-pg")),
      allow(["rds:DescribeDBSubnetGroups"], rds("subgrp")),
      allow(["rds:DescribeDBClusters"], event.properties["Cluster"]),
      useNetwork(),
      ...decryptSecret(event),
    ]),
  ];
}

function mskPolicies(context: Context, event: EventUse): Dict[] {
  const certificates = asList(event.properties["SourceAccessConfigurations"] ?? [])
    .map(asDict)
    .filter((config) => config["Type"] === "CLIENT_CERTIFICATE_TLS_AUTH" && isGiven(config["URI"]))
    .map((config) => readSecret(config["URI"]));
  const statements = [...schemaRegistryStatements(context, event), ...certificates];
  return statements.length > 0 ? [inlinePolicy("MSKExecutionRolePolicy", statements)] : [];
}

function schemaRegistryStatements(context: Context, event: EventUse): Dict[] {
  const { eventId, properties } = event;
  if (!isGiven(properties["SchemaRegistryConfig"])) return [];
  const config = expectMap(properties["SchemaRegistryConfig"], "SchemaRegistryConfig", ofEvent(eventId));
  for (const field of ["SchemaRegistryURI", "EventRecordFormat", "SchemaValidationConfigs"]) {
    if (!Object.hasOwn(config, field)) {
      throw eventProblem(eventId, `Missing required field ${field} in SchemaRegistryConfig`);
    }
  }
  if (config["EventRecordFormat"] !== "JSON" && config["EventRecordFormat"] !== "SOURCE") {
    throw eventProblem(eventId, "EventRecordFormat in SchemaRegistryConfig must be either 'JSON' or 'SOURCE'");
  }
  if (!isList(config["SchemaValidationConfigs"])) {
    throw eventProblem(eventId, "SchemaValidationConfigs must be a list");
  }
  const access = config["AccessConfigs"] ?? [];
  if (!isList(access)) throw eventProblem(eventId, "AccessConfigs in SchemaRegistryConfig must be a list");
  const statements = access.map((one) => {
    if (isDict(one) && Object.hasOwn(one, "Type") && Object.hasOwn(one, "URI")) return readSecret(one["URI"]);
    throw eventProblem(eventId, "Each AccessConfig must be a dict with 'Type' and 'URI' fields");
  });
  const uri = config["SchemaRegistryURI"];
  const text = isString(uri) ? uri : asDict(resolve(context, copy(uri)))["Fn::Sub"];
  const resource = isString(text) && text.startsWith("arn") ? text.split(":")[5] : undefined;
  if (resource?.startsWith("registry/") !== true) return statements;
  const schemas = `arn:\${AWS::Partition}:glue:\${AWS::Region}:\${AWS::AccountId}:schema/${resource.slice("registry/".length)}/*`;
  return [...statements, allow(["glue:GetRegistry"], uri), allow(["glue:GetSchemaVersion"], [sub(schemas)])];
}

const kafkaSecrets = new Set([
  "SASL_SCRAM_256_AUTH",
  "SASL_SCRAM_512_AUTH",
  "BASIC_AUTH",
  "CLIENT_CERTIFICATE_TLS_AUTH",
  "OAUTHBEARER_AUTH",
]);
const kafkaRoles = new Set(["IAM_AUTH", "IAM_OAUTHBEARER_AUTH"]);
const kafkaMetadata = [
  "OAUTHBEARER_SCOPE",
  "OAUTHBEARER_AUDIENCE",
  "OAUTHBEARER_LOGICAL_CLUSTER",
  "OAUTHBEARER_IDENTITY_POOL",
];

function selfManagedKafkaPolicies(context: Context, event: EventUse): Dict[] {
  const { eventId, properties } = event;
  const refuse = (why: string) => eventProblem(eventId, why);
  if (!isGiven(properties["KafkaBootstrapServers"])) {
    throw refuse("No KafkaBootstrapServers provided for self managed kafka as an event source");
  }
  if (!isGiven(properties["Topics"])) throw refuse("No Topics provided for self managed kafka as an event source");
  if (asList(properties["Topics"]).length !== 1) {
    throw refuse("Topics for self managed kafka only supports single configuration entry.");
  }
  const configurations = properties["SourceAccessConfigurations"];
  if (!isGiven(configurations)) {
    throw refuse("No SourceAccessConfigurations for self managed kafka event provided.");
  }
  if (!isList(configurations)) {
    throw refuse("SourceAccessConfigurations for self managed kafka event should be a list.");
  }
  const statements = [
    ...kafkaAccess(eventId, configurations),
    ...decryptSecret(event),
    ...schemaRegistryStatements(context, event),
  ];
  if (statements.length === 0) return [];
  return [
    {
      PolicyDocument: { Statement: statements, Version: "2012-10-17" },
      PolicyName: "SelfManagedKafkaExecutionRolePolicy",
    },
  ];
}

function kafkaAccess(eventId: string, configurations: readonly unknown[]): Dict[] {
  const refuse = (why: string) => eventProblem(eventId, why);
  const seen = new Set<string>();
  const secrets = new Map<string, unknown>();
  for (const value of configurations) {
    const config = expectMap(value, "SourceAccessConfigurations", ofEvent(eventId));
    const type = isString(config["Type"]) ? config["Type"] : "";
    const isMechanism = kafkaSecrets.has(type) || kafkaRoles.has(type);
    const isOther = ["VPC_SUBNET", "VPC_SECURITY_GROUP", "SERVER_ROOT_CA_CERTIFICATE", ...kafkaMetadata].includes(type);
    if (!isMechanism && !isOther) {
      throw refuse("Invalid SourceAccessConfigurations Type provided for self managed kafka event.");
    }
    const key = isMechanism ? "auth mechanism" : type;
    if (isMechanism && seen.has(key)) {
      throw refuse(
        "Multiple auth mechanism properties specified in SourceAccessConfigurations for self managed kafka event.",
      );
    }
    seen.add(key);
    if (kafkaRoles.has(type)) continue;
    const uri = config["URI"];
    const what = `${key} URI property specified in SourceAccessConfigurations for self managed kafka event.`;
    if (!isGiven(uri)) throw refuse(`No ${what}`);
    if (!isString(uri) && !isIntrinsic(uri)) throw refuse(`Wrong Type for ${what}`);
    if (isMechanism || type === "SERVER_ROOT_CA_CERTIFICATE") secrets.set(key, uri);
  }
  if (seen.has("VPC_SUBNET") !== seen.has("VPC_SECURITY_GROUP")) {
    throw refuse(
      "VPC_SUBNET and VPC_SECURITY_GROUP in SourceAccessConfigurations for SelfManagedKafka must be both provided.",
    );
  }
  const network = seen.has("VPC_SUBNET") ? [useNetwork()] : [];
  return [...[...secrets.values()].filter((uri) => !isAbsent(uri)).map(readSecret), ...network];
}
