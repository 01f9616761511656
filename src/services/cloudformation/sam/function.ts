import { managedPolicyArn } from "./arns.ts";
import { resolve, type Context, type SamResource } from "./context.ts";
import { addDeployment } from "./deployment-preference.ts";
import { eventInvoke } from "./event-invoke.ts";
import type { EventTarget } from "./event-source.ts";
import { functionEvents } from "./function-events.ts";
import { functionAlias, functionVersion } from "./function-version.ts";
import { functionUrl } from "./function-url.ts";
import { createdBySam, generate, propagateTags, type Generated } from "./generated.ts";
import { getAtt, ifItems, isIf, isNoValue, makeIf, ref } from "./intrinsics.ts";
import { expectString, resourceProblem } from "./problems.ts";
import type { PropertyRules } from "./property-rules.ts";
import { expandPolicyTemplate } from "./policy-templates.ts";
import { allow, assumeRolePolicy, constructRole, policyKind } from "./role.ts";
import { codeLocation } from "./s3-location.ts";
import { asDict, asList, display, isAbsent, isDict, isGiven, isString, type Dict } from "./values.ts";

export const functionProperties: PropertyRules = {
  FunctionName: "string|map",
  Handler: "any",
  Runtime: "any",
  CodeUri: "any",
  ImageUri: "any",
  PackageType: "any",
  InlineCode: "any",
  DeadLetterQueue: "map",
  Description: "any",
  MemorySize: "any",
  Timeout: "any",
  VpcConfig: "any",
  Role: "string",
  AssumeRolePolicyDocument: "map",
  Policies: "string|map|list<string|map>",
  RolePath: "any",
  PermissionsBoundary: "string",
  Environment: "map<map>",
  Events: "map<map>",
  Tags: "map",
  PropagateTags: "boolean",
  Tracing: "map|string",
  KmsKeyArn: "any",
  DeploymentPreference: "map",
  ReservedConcurrentExecutions: "any",
  Layers: "list<string|map>",
  EventInvokeConfig: "map",
  EphemeralStorage: "any",
  // AWS: the message for a wrong type of these two does not name the type.
  AutoPublishAlias: "string|string",
  AutoPublishCodeSha256: "string|string",
  AutoPublishAliasAllProperties: "=boolean",
  VersionDescription: "any",
  ProvisionedConcurrencyConfig: "any",
  FileSystemConfigs: "any",
  ImageConfig: "any",
  CodeSigningConfigArn: "any",
  Architectures: "any",
  SnapStart: "map",
  FunctionUrlConfig: "map",
  RuntimeManagementConfig: "any",
  LoggingConfig: "any",
  RecursiveLoop: "any",
  SourceKMSKeyArn: "any",
  CapacityProviderConfig: "map",
  FunctionScalingConfig: "map",
  VersionDeletionPolicy: ["Delete", "Retain"],
  PublishToLatestPublished: "any",
  TenancyConfig: "any",
  DurableConfig: "map",
};

/** Properties that go to the Lambda function as they are. */
const passed = [
  "Handler",
  "Runtime",
  "Description",
  "MemorySize",
  "Timeout",
  "VpcConfig",
  "Role",
  "Environment",
  "KmsKeyArn",
  "ReservedConcurrentExecutions",
  "Layers",
  "FileSystemConfigs",
  "ImageConfig",
  "PackageType",
  "Architectures",
  "SnapStart",
  "EphemeralStorage",
  "CodeSigningConfigArn",
  "RuntimeManagementConfig",
  "LoggingConfig",
  "TenancyConfig",
  "RecursiveLoop",
  "DurableConfig",
  "PublishToLatestPublished",
];

/** `Policies` with every policy template expanded. */
export function expandPolicies(sam: SamResource): void {
  const policies = sam.properties["Policies"];
  if (!isGiven(policies)) return;
  sam.properties["Policies"] = asList(policies).map((policy) => {
    if (policyKind(policy) !== "template") return policy;
    if (!isIf(policy)) return expand(sam.id, policy);
    const items = ifItems(policy);
    if (isString(items)) return policy;
    const [condition, then, otherwise] = items;
    const branch = (one: unknown) => (isNoValue(one) ? one : expand(sam.id, one));
    return makeIf(condition, branch(then), branch(otherwise));
  });
}

function expand(logicalId: string, policy: unknown): Dict {
  const [name = "", values] = Object.entries(asDict(policy))[0] ?? [];
  return expandPolicyTemplate(logicalId, name, values);
}

/** `AWS::Serverless::Function`: the function, its role, version, alias and URL, and what its events need. */
export function transformFunction(context: Context, sam: SamResource): Generated[] {
  const { properties } = sam;
  checkCombinations(sam);
  const lambda = lambdaFunction(context, sam);
  if (isGiven(properties["ProvisionedConcurrencyConfig"]) && !isGiven(properties["AutoPublishAlias"])) {
    throw resourceProblem(
      sam.id,
      "To set ProvisionedConcurrencyConfig AutoPublishALias must be defined on the function",
    );
  }
  const resources = [lambda];
  const { alias, aliasName, version } = publish(context, sam, lambda);
  if (version && alias) resources.push(version, alias);
  resources.push(...functionUrl(sam, alias));
  addDeployment(context, sam, alias);
  const invoke = eventInvoke(context, sam, alias, aliasName);
  resources.push(...invoke.resources);
  const role = executionRole(context, sam, invoke.policies);
  attachRole(context, sam, lambda, role, resources);
  const target: EventTarget = alias
    ? { id: alias.id, arn: ref(alias.id), inherited: sam.inherited }
    : { id: sam.id, arn: getAtt(sam.id, "Arn"), inherited: sam.inherited };
  resources.push(...functionEvents(context, sam, target, role));
  if (isGiven(properties["PropagateTags"])) propagateTags(resources, properties["Tags"]);
  return resources;
}

function checkCombinations(sam: SamResource): void {
  const { properties } = sam;
  const has = (name: string) => !isAbsent(properties[name]);
  const problems: string[] = [];
  for (const other of ["ProvisionedConcurrencyConfig", "VpcConfig"]) {
    if (has("CapacityProviderConfig") && has(other)) {
      problems.push(`Cannot specify 'CapacityProviderConfig' and '${other}' together.`);
    }
  }
  if (has("FunctionScalingConfig") && !has("CapacityProviderConfig")) {
    problems.push("'FunctionScalingConfig' requires 'CapacityProviderConfig'.");
  }
  if (has("VersionDeletionPolicy") && !has("AutoPublishAlias")) {
    problems.push("'VersionDeletionPolicy' requires 'AutoPublishAlias'.");
  }
  if (problems.length > 0) throw resourceProblem(sam.id, problems.join("\n"));
  checkDeadLetterQueue(sam);
  checkTenancy(sam);
}

const deadLetterActions = new Map([
  ["SQS", "sqs:SendMessage"],
  ["SNS", "sns:Publish"],
]);

function checkDeadLetterQueue(sam: SamResource): void {
  const queue = asDict(sam.properties["DeadLetterQueue"]);
  if (!isGiven(queue)) return;
  if (!isGiven(queue["Type"]) || !isGiven(queue["TargetArn"])) {
    throw resourceProblem(sam.id, "'DeadLetterQueue' requires Type and TargetArn properties to be specified.");
  }
  if (!deadLetterActions.has(expectString(queue["Type"], "DeadLetterQueue.Type", sam.culprit))) {
    throw resourceProblem(sam.id, "'DeadLetterQueue' requires Type of ['SQS', 'SNS']");
  }
}

function checkTenancy(sam: SamResource): void {
  const { properties } = sam;
  if (!isGiven(properties["TenancyConfig"])) return;
  const without = (feature: string) =>
    resourceProblem(sam.id, `${feature} is not supported for functions enabled with tenancy configuration.`);
  if (isGiven(properties["ProvisionedConcurrencyConfig"])) throw without("Provisioned concurrency");
  if (isGiven(properties["FunctionUrlConfig"])) throw without("Function URL");
  if (isGiven(properties["SnapStart"])) throw without("SnapStart");
  for (const event of Object.values(asDict(properties["Events"]))) {
    const type = asDict(event)["Type"];
    if (type === "Api" || type === "HttpApi") continue;
    throw resourceProblem(
      sam.id,
      `Event source '${display(type)}' is not supported for functions enabled with tenancy configuration. Only Api and HttpApi event sources are supported.`,
    );
  }
}

function isTraced(context: Context, sam: SamResource): boolean {
  return isGiven(sam.properties["Tracing"]) && resolve(context, sam.properties["Tracing"]) !== "Disabled";
}

function lambdaFunction(context: Context, sam: SamResource): Generated {
  const { properties } = sam;
  const own: Dict = Object.fromEntries(passed.map((name) => [name, properties[name]]));
  if (isGiven(properties["FunctionName"])) own["FunctionName"] = properties["FunctionName"];
  own["Code"] = codeOf(sam);
  own["Tags"] = createdBySam(sam.id, properties["Tags"]);
  if (isTraced(context, sam)) own["TracingConfig"] = { Mode: properties["Tracing"] };
  const queue = asDict(properties["DeadLetterQueue"]);
  if (isGiven(queue)) own["DeadLetterConfig"] = { TargetArn: queue["TargetArn"] };
  if (isGiven(properties["CapacityProviderConfig"])) own["CapacityProviderConfig"] = capacityProvider(sam);
  if (isGiven(properties["FunctionScalingConfig"])) own["FunctionScalingConfig"] = properties["FunctionScalingConfig"];
  checkPackage(sam.id, own);
  return generate(sam.id, "AWS::Lambda::Function", own, sam.attributes, sam.resource["DependsOn"]);
}

function capacityProvider(sam: SamResource): Dict {
  const names = ["Arn", "PerExecutionEnvironmentMaxConcurrency", "ExecutionEnvironmentMemoryGiBPerVCpu"];
  const config = asDict(sam.properties["CapacityProviderConfig"]);
  const wrong = Object.keys(config).find((name) => !names.includes(name));
  if (wrong !== undefined || isAbsent(config["Arn"])) {
    throw resourceProblem(
      sam.id,
      `Invalid CapacityProviderConfig: ${wrong ?? "Arn"} is ${wrong === undefined ? "required" : "not permitted"}`,
    );
  }
  const [, concurrency = "", memory = ""] = names;
  return {
    LambdaManagedInstancesCapacityProviderConfig: {
      CapacityProviderArn: config["Arn"],
      ...(isAbsent(config[concurrency]) ? {} : { [concurrency]: config[concurrency] }),
      ...(isAbsent(config[memory]) ? {} : { [memory]: config[memory] }),
    },
  };
}

function codeOf(sam: SamResource): Dict {
  const { properties, id } = sam;
  const packageType = isGiven(properties["PackageType"]) ? properties["PackageType"] : "Zip";
  if (packageType === "Image") {
    if (isAbsent(properties["ImageUri"])) throw resourceProblem(id, "'ImageUri' must be set.");
    if (isGiven(properties["ImageUri"])) return { ImageUri: properties["ImageUri"] };
    throw resourceProblem(id, "'ImageUri' requires that a image hosted at a registry be specified.");
  }
  if (packageType !== "Zip") throw resourceProblem(id, `invalid 'PackageType' : ${display(packageType)}`);
  const key = isGiven(properties["SourceKMSKeyArn"]) ? { SourceKMSKeyArn: properties["SourceKMSKeyArn"] } : {};
  if (!isAbsent(properties["InlineCode"])) return { ZipFile: properties["InlineCode"], ...key };
  if (!isAbsent(properties["CodeUri"])) return { ...codeLocation(id, "CodeUri", properties["CodeUri"]), ...key };
  throw resourceProblem(id, "Only one of 'InlineCode' or 'CodeUri' can be set.");
}

function checkPackage(id: string, lambda: Dict): void {
  const has = (name: string) => isGiven(lambda[name]);
  if (lambda["PackageType"] === "Image") {
    if (["Handler", "Runtime", "Layers"].some(has)) {
      throw resourceProblem(id, "Runtime, Handler, Layers cannot be present when PackageType is of type `Image`");
    }
    return;
  }
  if (!has("Runtime") || !has("Handler")) {
    throw resourceProblem(id, "Runtime and Handler needs to be present when PackageType is of type `Zip`");
  }
  if (has("ImageConfig")) {
    throw resourceProblem(id, "ImageUri or ImageConfig cannot be present when PackageType is of type `Zip`");
  }
}

interface Published {
  readonly version?: Generated;
  readonly alias?: Generated;
  readonly aliasName: string;
}

function publish(context: Context, sam: SamResource, lambda: Generated): Published {
  const { properties, id } = sam;
  if (!isGiven(properties["AutoPublishAlias"])) return { aliasName: "" };
  const aliasName = resolve(context, properties["AutoPublishAlias"]);
  if (!isString(aliasName)) {
    throw resourceProblem(id, "'AutoPublishAlias' must be a string or a Ref to a template parameter");
  }
  let sha256: string | undefined;
  if (isGiven(properties["AutoPublishCodeSha256"])) {
    const resolved = resolve(context, properties["AutoPublishCodeSha256"]);
    if (!isString(resolved)) throw resourceProblem(id, "AutoPublishCodeSha256 must be a string");
    sha256 = resolved;
    // The hash in the description makes CloudFormation see that the function has changed.
    const description = resolve(context, properties["Description"]);
    if (isDict(description)) lambda.properties["Description"] = { "Fn::Join": [" ", [description, sha256]] };
    else lambda.properties["Description"] = isGiven(description) ? `${display(description)} ${sha256}` : sha256;
  }
  const version = functionVersion(context, sam, lambda, sha256);
  return { version, alias: functionAlias(sam, aliasName, version), aliasName };
}

function executionRole(context: Context, sam: SamResource, policies: readonly Dict[]): Generated {
  const { properties } = sam;
  const basic = isGiven(properties["DurableConfig"])
    ? "AWSLambdaBasicDurableExecutionRolePolicy"
    : "AWSLambdaBasicExecutionRole";
  const managed = [`service-role/${basic}`];
  if (isTraced(context, sam)) managed.push(xrayPolicy(context));
  if (isGiven(properties["VpcConfig"])) managed.push("service-role/AWSLambdaVPCAccessExecutionRole");
  const queue = asDict(properties["DeadLetterQueue"]);
  const deadLetters = isGiven(queue)
    ? [
        {
          PolicyName: "DeadLetterQueuePolicy",
          PolicyDocument: {
            Version: "2012-10-17",
            Statement: [allow(deadLetterActions.get(display(queue["Type"])), queue["TargetArn"])],
          },
        },
      ]
    : [];
  return constructRole(context, {
    logicalId: sam.id,
    inherited: sam.inherited,
    trust: isAbsent(properties["AssumeRolePolicyDocument"])
      ? assumeRolePolicy("lambda.amazonaws.com")
      : properties["AssumeRolePolicyDocument"],
    policies: properties["Policies"],
    managedPolicyArns: managed.map((path) => managedPolicyArn(context.partition, path)),
    inlinePolicies: [...deadLetters, ...policies],
    path: properties["RolePath"],
    permissionsBoundary: properties["PermissionsBoundary"],
    tags: createdBySam(sam.id, properties["Tags"]),
  });
}

export function xrayPolicy(context: Context): string {
  return context.partition === "aws" ? "AWSXrayWriteOnlyAccess" : "AWSXRayDaemonWriteAccess";
}

/** Without a `Role` the function has the generated one; an `Fn::If` with `AWS::NoValue` makes it under a condition. */
function attachRole(
  context: Context,
  sam: SamResource,
  lambda: Generated,
  role: Generated,
  resources: Generated[],
): void {
  const given = lambda.properties["Role"];
  const arn = getAtt(role.id, "Arn");
  if (isAbsent(given)) {
    lambda.properties["Role"] = arn;
    resources.push(role);
    return;
  }
  if (!isIf(given)) return;
  const items = ifItems(asDict(resolve(context, given)));
  if (isString(items)) throw resourceProblem(sam.id, `Malformed 'Role' property: ${items}.`);
  const [condition, then, otherwise] = items;
  if (!isNoValue(then) && !isNoValue(otherwise)) return;
  resources.push(role);
  if (isNoValue(then) && isNoValue(otherwise)) lambda.properties["Role"] = arn;
  else if (isNoValue(then)) {
    lambda.properties["Role"] = makeIf(condition, arn, otherwise);
    role.attributes["Condition"] = condition;
  } else {
    const negated = `NOT${display(condition)}`;
    lambda.properties["Role"] = makeIf(condition, then, arn);
    role.attributes["Condition"] = negated;
    if (isDict(context.output["Conditions"])) {
      context.output["Conditions"][negated] = { "Fn::Not": [{ Condition: condition }] };
    }
  }
}
