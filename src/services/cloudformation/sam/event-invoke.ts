import { resolve, type Context, type SamResource } from "./context.ts";
import { generate, type Generated } from "./generated.ts";
import { getAtt, ifItems, isIf, isNoValue, makeIf, ref } from "./intrinsics.ts";
import { hashSuffix } from "./logical-ids.ts";
import { expectMap, resourceProblem } from "./problems.ts";
import { allow, inlinePolicy } from "./role.ts";
import { asDict, display, isAbsent, isDict, isGiven, isString, type Dict } from "./values.ts";

const destinationTypes = ["SQS", "SNS", "EventBridge", "Lambda", "S3Bucket"];
const generatedTypes = ["SQS", "SNS"];

export interface EventInvoke {
  readonly resources: Generated[];
  /** What the function's role needs for its destinations. */
  readonly policies: Dict[];
}

/** `EventInvokeConfig`: retries and destinations of asynchronous invocations; SNS and SQS destinations may be generated. */
export function eventInvoke(
  context: Context,
  sam: SamResource,
  alias: Generated | undefined,
  aliasName: string,
): EventInvoke {
  if (!isGiven(sam.properties["EventInvokeConfig"])) return { resources: [], policies: [] };
  const config = asDict(resolve(context, sam.properties["EventInvokeConfig"]));
  const id = `${sam.id}EventInvokeConfig`;
  const resources: Generated[] = [];
  const policies: Dict[] = [];
  const destinations: Dict = {};
  if (isGiven(config["DestinationConfig"])) {
    const path = "EventInvokeConfig.DestinationConfig";
    const given = expectMap(config["DestinationConfig"], path, sam.culprit);
    for (const name of ["OnSuccess", "OnFailure"]) {
      if (isAbsent(given[name])) continue;
      const destination = destinationOf(context, sam, id, name, expectMap(given[name], `${path}.${name}`, sam.culprit));
      destinations[name] = { Destination: destination.arn };
      resources.push(...destination.resources);
      policies.push(destination.policy);
    }
  }
  resources.push(
    generate(
      id,
      "AWS::Lambda::EventInvokeConfig",
      {
        FunctionName: ref(sam.id),
        Qualifier: aliasName === "" ? "$LATEST" : aliasName,
        DestinationConfig: destinations,
        MaximumEventAgeInSeconds: config["MaximumEventAgeInSeconds"],
        MaximumRetryAttempts: config["MaximumRetryAttempts"],
      },
      sam.attributes,
      alias ? [alias.id] : undefined,
    ),
  );
  return { resources, policies };
}

function destinationOf(
  context: Context,
  sam: SamResource,
  configId: string,
  name: string,
  config: Dict,
): { readonly arn: unknown; readonly resources: Generated[]; readonly policy: Dict } {
  const type = config["Type"];
  if (!isString(type) || !destinationTypes.includes(type)) {
    throw resourceProblem(sam.id, `'Type: ${display(type)}' must be one of ${display(destinationTypes)}`);
  }
  const given = config["Destination"];
  const choice = chosenDestination(context, configId, given);
  const prefix = configId + name;
  if (!isAbsent(given) && !choice) return { arn: given, resources: [], policy: destinationPolicy(type, given, prefix) };
  if (!generatedTypes.includes(type)) {
    throw resourceProblem(sam.id, `Destination is required if Type is not ${display(generatedTypes)}`);
  }
  const condition = bothConditions(context, sam, choice?.condition);
  const attributes = { ...sam.inherited, ...(condition === undefined ? {} : { Condition: condition }) };
  const resource =
    type === "SQS"
      ? generate(`${prefix}Queue`, "AWS::SQS::Queue", {}, attributes)
      : generate(`${prefix}Topic`, "AWS::SNS::Topic", {}, attributes);
  const own = type === "SQS" ? getAtt(resource.id, "Arn") : ref(resource.id);
  const arn = choice ? makeIf(choice.condition, own, choice.arn) : own;
  return { arn, resources: [resource], policy: destinationPolicy(type, arn, prefix) };
}

/** An `Fn::If` with `AWS::NoValue` in one branch: the destination is generated under that condition. */
function chosenDestination(
  context: Context,
  configId: string,
  given: unknown,
): { readonly condition: string; readonly arn: unknown } | undefined {
  if (!isIf(given)) return undefined;
  const items = ifItems(given);
  if (isString(items)) throw resourceProblem(configId, `Malformed 'Destination' property: ${items}.`);
  const [condition, then, otherwise] = items;
  const name = display(condition);
  if (isNoValue(then) && isNoValue(otherwise)) return undefined;
  if (isNoValue(then)) return { condition: name, arn: otherwise };
  if (!isNoValue(otherwise)) return undefined;
  const negated = `NOT${name}${hashSuffix(configId)}`;
  if (isDict(context.output["Conditions"])) {
    context.output["Conditions"][negated] = { "Fn::Not": [{ Condition: condition }] };
  }
  return { condition: negated, arn: then };
}

function bothConditions(context: Context, sam: SamResource, condition: string | undefined): unknown {
  const own = sam.inherited["Condition"];
  if (isAbsent(own)) return condition;
  if (condition === undefined) return own;
  const both = `${display(own)}AND${condition}`;
  const name = both + hashSuffix(sam.id);
  if (isDict(context.output["Conditions"])) {
    // AWS: each condition stands in a condition of a condition.
    context.output["Conditions"][name] = {
      "Fn::And": [{ Condition: { Condition: own } }, { Condition: { Condition: condition } }],
    };
  }
  return name;
}

function destinationPolicy(type: string, arn: unknown, prefix: string): Dict {
  switch (type) {
    case "SQS":
      return sqsSendPolicy(arn, prefix);
    case "SNS":
      return snsPublishPolicy(arn, prefix);
    case "EventBridge":
      return inlinePolicy(`${prefix}EventBridgePolicy`, [allow("events:PutEvents", arn)]);
    case "Lambda":
      return invokePolicy(arn, prefix);
    default:
      return s3PutPolicy(arn, prefix);
  }
}

export function sqsSendPolicy(arn: unknown, prefix: string): Dict {
  return inlinePolicy(`${prefix}SQSPolicy`, [allow("sqs:SendMessage", arn)]);
}

export function snsPublishPolicy(arn: unknown, prefix: string): Dict {
  return inlinePolicy(`${prefix}SNSPolicy`, [allow("sns:publish", arn)]);
}

export function invokePolicy(arn: unknown, prefix: string): Dict {
  return inlinePolicy(`${prefix}LambdaPolicy`, [allow("lambda:InvokeFunction", arn)]);
}

export function s3PutPolicy(arn: unknown, prefix: string): Dict {
  return inlinePolicy(`${prefix}S3Policy`, [
    allow("s3:PutObject", { "Fn::Join": ["/", [arn, "*"]] }),
    allow("s3:ListBucket", arn),
  ]);
}
