import { managedPolicyArn } from "./arns.ts";
import { resolveWithMappings, type Context, type Deployment, type SamResource } from "./context.ts";
import { generate, tagList, type Generated } from "./generated.ts";
import { combineConditions, getAtt, ifItems, isIf, isIntrinsic, isNoValue, ref, sub } from "./intrinsics.ts";
import { resourceProblem } from "./problems.ts";
import { assumeRolePolicy } from "./role.ts";
import { asDict, isAbsent, isDict, isGiven, isList, isString, type Dict } from "./values.ts";

const applicationId = "ServerlessDeploymentApplication";
const roleId = "CodeDeployServiceRole";
const conditionName = "ServerlessCodeDeployCondition";

const predefined = new Set([
  "AllAtOnce",
  "Canary10Percent5Minutes",
  "Canary10Percent10Minutes",
  "Canary10Percent15Minutes",
  "Canary10Percent30Minutes",
  "Linear10PercentEvery1Minute",
  "Linear10PercentEvery2Minutes",
  "Linear10PercentEvery3Minutes",
  "Linear10PercentEvery10Minutes",
]);

/** Notes a function's `DeploymentPreference`; gives the update policy of its alias when the preference is enabled. */
export function addDeployment(context: Context, sam: SamResource, alias: Generated | undefined): void {
  const preference = sam.properties["DeploymentPreference"];
  if (!isDict(preference) || !isGiven(preference)) return;
  for (const name of ["Enabled", "Type"]) {
    if (Object.hasOwn(preference, name)) preference[name] = resolveWithMappings(context, preference[name]);
  }
  const passesCondition = Object.hasOwn(preference, "PassthroughCondition")
    ? passthrough(context, sam, preference["PassthroughCondition"])
    : false;
  const enabled = Object.hasOwn(preference, "Enabled") ? preference["Enabled"] : true;
  if (!isGiven(enabled) || enabled === "false" || enabled === "False") return;
  if (!Object.hasOwn(preference, "Type")) {
    throw resourceProblem(sam.id, "'DeploymentPreference' is missing required Property 'Type'");
  }
  const hooks = Object.hasOwn(preference, "Hooks") ? preference["Hooks"] : {};
  if (!isDict(hooks)) throw resourceProblem(sam.id, "'Hooks' property of 'DeploymentPreference' must be a dictionary");
  const condition = sam.inherited["Condition"];
  const { Tags: tags, PropagateTags: propagates } = sam.properties;
  context.deployments.set(sam.id, {
    type: preference["Type"],
    alarms: preference["Alarms"],
    role: preference["Role"],
    triggers: preference["TriggerConfigurations"],
    preTraffic: hooks["PreTraffic"],
    postTraffic: hooks["PostTraffic"],
    condition: passesCondition && isString(condition) ? condition : undefined,
    tags: isGiven(propagates) && isGiven(tags) ? asDict(tags) : undefined,
  });
  if (!alias) {
    throw resourceProblem(sam.id, "'DeploymentPreference' requires AutoPublishAlias property to be specified.");
  }
  const policy: Dict = { ApplicationName: ref(applicationId), DeploymentGroupName: ref(`${sam.id}DeploymentGroup`) };
  if (!isAbsent(hooks["PreTraffic"])) policy["BeforeAllowTrafficHook"] = hooks["PreTraffic"];
  if (!isAbsent(hooks["PostTraffic"])) policy["AfterAllowTrafficHook"] = hooks["PostTraffic"];
  alias.attributes["UpdatePolicy"] = { CodeDeployLambdaAliasUpdate: policy };
}

function passthrough(context: Context, sam: SamResource, value: unknown): boolean {
  const resolved = resolveWithMappings(context, value);
  if (resolved === true || resolved === "true" || resolved === "True") return true;
  if (resolved === false || resolved === "false" || resolved === "False") return false;
  throw resourceProblem(
    sam.id,
    isIntrinsic(resolved)
      ? "Unsupported intrinsic: the only intrinsic functions supported for property PassthroughCondition are FindInMap and parameter Refs."
      : "Invalid value for property PassthroughCondition.",
  );
}

/** The CodeDeploy application, its role and a deployment group per function; conditions are added to the template. */
export function deploymentResources(context: Context): (() => Generated)[] {
  const all = [...context.deployments];
  if (all.length === 0) return [];
  const deployments = all.map(([, deployment]) => deployment);
  const conditions = [...new Set(deployments.map(({ condition }) => condition).filter(isString))];
  const conditional = deployments.every(({ condition }) => condition !== undefined);
  const attributes: Dict = conditional ? { Condition: conditions.length > 1 ? conditionName : conditions[0] } : {};
  if (conditional && isDict(context.output["Conditions"])) {
    Object.assign(context.output["Conditions"], combineConditions(conditions, conditionName));
  }
  const merged = Object.assign({}, ...deployments.map(({ tags }) => tags ?? {})) as Dict;
  const tags = isGiven(merged) ? tagList(merged) : undefined;
  return [
    () =>
      generate(applicationId, "AWS::CodeDeploy::Application", { ComputePlatform: "Lambda", Tags: tags }, attributes),
    ...(deployments.every(({ role }) => isGiven(role)) ? [] : [() => serviceRole(context, tags, attributes)]),
    ...all.map(
      ([id, deployment]) =>
        () =>
          deploymentGroup(id, deployment),
    ),
  ];
}

function serviceRole(context: Context, tags: Dict[] | undefined, attributes: Dict): Generated {
  const limited = ["aws-iso", "aws-iso-b"].includes(context.partition) ? "Limited" : "";
  return generate(
    roleId,
    "AWS::IAM::Role",
    {
      AssumeRolePolicyDocument: assumeRolePolicy("codedeploy.amazonaws.com"),
      ManagedPolicyArns: [managedPolicyArn(context.partition, `service-role/AWSCodeDeployRoleForLambda${limited}`)],
      Tags: tags,
    },
    attributes,
  );
}

function deploymentGroup(functionId: string, deployment: Deployment): Generated {
  return generate(
    `${functionId}DeploymentGroup`,
    "AWS::CodeDeploy::DeploymentGroup",
    {
      AlarmConfiguration: alarms(functionId, deployment.alarms),
      ApplicationName: ref(applicationId),
      AutoRollbackConfiguration: {
        Enabled: true,
        Events: ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"],
      },
      DeploymentConfigName: configName(deployment.type),
      DeploymentStyle: { DeploymentType: "BLUE_GREEN", DeploymentOption: "WITH_TRAFFIC_CONTROL" },
      ServiceRoleArn: isGiven(deployment.role) ? deployment.role : getAtt(roleId, "Arn"),
      TriggerConfigurations: isGiven(deployment.triggers) ? deployment.triggers : undefined,
      Tags: deployment.tags ? tagList(deployment.tags) : undefined,
    },
    deployment.condition === undefined ? {} : { Condition: deployment.condition },
  );
}

function alarms(functionId: string, value: unknown): Dict | undefined {
  if (!isGiven(value) || isNoValue(value)) return undefined;
  if (!isIf(value)) return alarmConfiguration(functionId, value);
  const items = ifItems(value);
  if (isString(items)) throw resourceProblem(functionId, items);
  const [condition, then, otherwise] = items;
  return {
    "Fn::If": [condition, alarmConfiguration(functionId, then), alarmConfiguration(functionId, otherwise)],
  };
}

function alarmConfiguration(functionId: string, value: unknown): Dict {
  if (!isList(value)) throw resourceProblem(functionId, "Alarms must be a list");
  if (value.length === 0 || isNoValue(value[0])) return {};
  return { Enabled: true, Alarms: value.map((Name) => ({ Name })) };
}

/** CodeDeploy's own configurations are named in full; others stand as they are. */
function configName(value: unknown, key?: string): unknown {
  if (isList(value)) return value.map((item) => configName(item));
  if (isIntrinsic(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, configName(item, name)]));
  }
  if (!isString(value) || !predefined.has(value)) return value;
  const full = sub("CodeDeployDefault.Lambda${ConfigName}", { ConfigName: value });
  return key === "Fn::Sub" ? full["Fn::Sub"] : full;
}
