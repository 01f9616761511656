import type { Context, SamResource, SharedUsagePlan } from "./context.ts";
import { generate, type Generated } from "./generated.ts";
import { ref } from "./intrinsics.ts";
import { resourceProblem, templateProblem } from "./problems.ts";
import { asDict, display, isAbsent, isDict, isGiven, isString, type Dict } from "./values.ts";

const kinds = ["SHARED", "PER_API", "NONE"];
const described = ["UsagePlanName", "Description", "Quota", "Tags", "Throttle"];
const sharedCondition = "SharedUsagePlanCondition";

/** `Auth.UsagePlan`: a usage plan with an API key, for one API or shared between all that ask for it. */
export function usagePlan(context: Context, api: SamResource, plan: unknown, stageId: string): Generated[] {
  if (isAbsent(plan)) return [];
  if (!isDict(plan)) throw resourceProblem(api.id, "'UsagePlan' must be a dictionary");
  if (Object.keys(plan).some((key) => key !== "CreateUsagePlan" && !described.includes(key))) {
    throw resourceProblem(api.id, "Invalid property for 'UsagePlan'");
  }
  const kind = plan["CreateUsagePlan"];
  if (isAbsent(kind)) throw resourceProblem(api.id, "'CreateUsagePlan' is a required field for UsagePlan.");
  if (!isString(kind) || !kinds.includes(kind)) {
    throw resourceProblem(api.id, `'CreateUsagePlan' accepts one of ${display(kinds)}.`);
  }
  if (kind === "NONE") return [];
  const details = Object.fromEntries(described.filter((name) => isGiven(plan[name])).map((name) => [name, plan[name]]));
  const planStage = { ApiId: ref(api.id), Stage: ref(stageId) };
  const keyStage = { RestApiId: ref(api.id), StageName: ref(stageId) };
  if (kind === "PER_API") {
    return planAndKey(api.id, details, [api.id], [planStage], [keyStage], api.inherited);
  }
  const shared = context.sharedUsagePlan;
  shared.apis.push(api.id);
  shared.planStages.push(planStage);
  shared.keyStages.push(keyStage);
  const attributes = sharedAttributes(shared, api.inherited, context.output);
  return planAndKey("Serverless", details, [...shared.apis], [...shared.planStages], [...shared.keyStages], attributes);
}

function planAndKey(
  prefix: string,
  details: Dict,
  dependsOn: string[],
  planStages: Dict[],
  keyStages: Dict[],
  attributes: Dict,
): Generated[] {
  const planId = `${prefix}UsagePlan`;
  const keyId = `${prefix}ApiKey`;
  return [
    generate(planId, "AWS::ApiGateway::UsagePlan", { ApiStages: planStages, ...details }, attributes, dependsOn),
    generate(keyId, "AWS::ApiGateway::ApiKey", { Enabled: true, StageKeys: keyStages }, attributes, [planId]),
    generate(
      `${prefix}UsagePlanKey`,
      "AWS::ApiGateway::UsagePlanKey",
      { KeyId: ref(keyId), KeyType: "API_KEY", UsagePlanId: ref(planId) },
      attributes,
      [keyId],
    ),
  ];
}

/** The strongest policies of the APIs so far, and the condition that one of them exists. */
function sharedAttributes(shared: SharedUsagePlan, inherited: Dict, output: Dict): Dict {
  shared.deletionPolicy = stronger(shared.deletionPolicy, inherited["DeletionPolicy"]);
  shared.updateReplacePolicy = stronger(shared.updateReplacePolicy, inherited["UpdateReplacePolicy"]);
  addCondition(shared, inherited["Condition"], output);
  return {
    ...(isGiven(shared.deletionPolicy) ? { DeletionPolicy: shared.deletionPolicy } : {}),
    ...(isGiven(shared.updateReplacePolicy) ? { UpdateReplacePolicy: shared.updateReplacePolicy } : {}),
    ...(shared.conditions.size > 0 && !shared.someUnconditional ? { Condition: sharedCondition } : {}),
  };
}

function stronger(current: unknown, next: unknown): unknown {
  if (!isGiven(next)) return current;
  if (!isGiven(current) || next === "Retain") return next;
  return next === "Snapshot" && current === "Delete" ? next : current;
}

function addCondition(shared: SharedUsagePlan, condition: unknown, output: Dict): void {
  if (shared.someUnconditional) return;
  if (!isString(condition) || condition === "") {
    shared.someUnconditional = true;
    if (isDict(output["Conditions"])) Reflect.deleteProperty(output["Conditions"], sharedCondition);
    return;
  }
  if (shared.conditions.has(condition)) return;
  if (!isDict(output["Conditions"])) {
    throw templateProblem("Can't have condition without having 'Conditions' section in the template");
  }
  shared.conditions.add(condition);
  const all = [...shared.conditions];
  // AWS: a single condition stands as a bare name.
  asDict(output["Conditions"])[sharedCondition] =
    all.length === 1 ? condition : { "Fn::Or": all.map((name) => ({ Condition: name })) };
}
