import type { Context, SamResource } from "./context.ts";
import { parseEvent } from "./function-events.ts";
import { xrayPolicy } from "./function.ts";
import { generate, propagateTags, tagList, type Generated } from "./generated.ts";
import { getAtt, isIntrinsic, ref } from "./intrinsics.ts";
import { Problem, resourceProblem } from "./problems.ts";
import type { PropertyRules } from "./property-rules.ts";
import { assumeRolePolicy, constructRole } from "./role.ts";
import { definitionLocation } from "./s3-location.ts";
import { stateMachineEvents } from "./state-machine-events.ts";
import {
  asDict,
  asList,
  byCodePoint,
  copy,
  copyDict,
  display,
  isDict,
  isGiven,
  isList,
  isString,
  type Dict,
} from "./values.ts";

export const stateMachineProperties: PropertyRules = {
  Definition: "map",
  DefinitionUri: "string|map",
  Logging: "map",
  Role: "string",
  RolePath: "any",
  DefinitionSubstitutions: "map",
  Events: "map<map>",
  Name: "string",
  Type: "string",
  Tags: "map",
  PropagateTags: "boolean",
  Policies: "string|list<string|map>",
  Tracing: "map",
  PermissionsBoundary: "string",
  AutoPublishAlias: "any",
  DeploymentPreference: "any",
  UseAliasAsEventTarget: "=boolean",
};

/** Looks at all events before the state machine itself. */
export function linkStateMachineEvents(context: Context, sam: SamResource): void {
  for (const [eventId, event] of Object.entries(asDict(sam.properties["Events"]))) {
    try {
      const { source, properties } = parseEvent(stateMachineEvents, sam.id, eventId, event);
      source.link?.(context, eventId, properties);
    } catch (error) {
      throw error instanceof Problem && error.ofEvent ? resourceProblem(sam.id, error.message) : error;
    }
  }
}

/** `AWS::Serverless::StateMachine`: the state machine, its role, version and alias, and what its events need. */
export function transformStateMachine(context: Context, sam: SamResource): Generated[] {
  const { properties, id } = sam;
  const definition = definitionOf(sam);
  if (isGiven(properties["Role"]) && isGiven(properties["Policies"])) {
    throw resourceProblem(id, "Specify either 'Role' or 'Policies' (but not both at the same time) or neither of them");
  }
  const tags = [{ Key: "stateMachine:createdBy", Value: "SAM" }, ...tagList(properties["Tags"])];
  const role = isGiven(properties["Role"]) ? [] : [executionRole(context, sam, tags)];
  const stateMachine = generate(
    id,
    "AWS::StepFunctions::StateMachine",
    {
      ...definition,
      RoleArn: role[0] ? getAtt(role[0].id, "Arn") : properties["Role"],
      StateMachineName: properties["Name"],
      StateMachineType: properties["Type"],
      LoggingConfiguration: properties["Logging"],
      TracingConfiguration: properties["Tracing"],
      Tags: tags,
    },
    sam.attributes,
    sam.resource["DependsOn"],
  );
  const published = publish(sam);
  const alias = published[1];
  const targetId = isGiven(properties["UseAliasAsEventTarget"]) && alias ? alias.id : id;
  const events = eventResources(context, sam, targetId);
  const resources = [stateMachine, ...role, ...published, ...events];
  if (isGiven(properties["PropagateTags"])) propagateTags(resources, properties["Tags"]);
  return resources;
}

function definitionOf(sam: SamResource): Dict {
  const { properties, id } = sam;
  const { Definition: inline, DefinitionUri: uri, DefinitionSubstitutions: given } = properties;
  if (isGiven(inline) && isGiven(uri)) {
    throw resourceProblem(id, "Specify either 'Definition' or 'DefinitionUri' property and not both.");
  }
  const substitutions = asDict(copy(given));
  if (isGiven(inline)) {
    const { definition, found } = withSubstitutions(inline);
    const all = { ...substitutions, ...found };
    const lines = JSON.stringify(definition, undefined, 4)
      .replace(/[\u007f-\uffff]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .split("\n");
    return {
      DefinitionString: { "Fn::Join": ["\n", lines] },
      DefinitionSubstitutions: isGiven(all) ? all : undefined,
    };
  }
  const kept = isGiven(given) ? { DefinitionSubstitutions: substitutions } : {};
  if (isGiven(uri)) return { DefinitionS3Location: definitionLocation(id, uri), ...kept };
  throw resourceProblem(id, "Either 'Definition' or 'DefinitionUri' property must be specified.");
}

/** A definition is text: what CloudFormation has to resolve in it becomes substitutions, numbered in the order of sorted keys. */
function withSubstitutions(inline: unknown): { readonly definition: unknown; readonly found: Dict } {
  const found: Dict = {};
  const walk = (value: unknown, isRoot: boolean): unknown => {
    const isDynamic = isString(value) && /^\{\{resolve:[a-z-]+:.+\}\}$/.test(value);
    if (!isRoot && (isIntrinsic(value) || isDynamic)) {
      const name = `definition_substitution_${Object.keys(found).length + 1}`;
      found[name] = value;
      return `\${${name}}`;
    }
    if (isList(value)) return value.map((item) => walk(item, false));
    if (!isDict(value)) return value;
    const sorted = Object.entries(value).toSorted(([a], [b]) => byCodePoint(a, b));
    return Object.fromEntries(sorted.map(([key, item]) => [key, walk(item, false)]));
  };
  return { definition: walk(inline, true), found };
}

function executionRole(context: Context, sam: SamResource, tags: Dict[]): Generated {
  const { properties } = sam;
  const policies = isGiven(properties["Policies"]) ? [...asList(properties["Policies"])] : [];
  if (asDict(properties["Tracing"])["Enabled"] === true) policies.push(xrayPolicy(context));
  return constructRole(context, {
    logicalId: sam.id,
    inherited: sam.inherited,
    trust: assumeRolePolicy("states.amazonaws.com"),
    policies,
    managedPolicyArns: [],
    inlinePolicies: [],
    path: properties["RolePath"],
    permissionsBoundary: properties["PermissionsBoundary"],
    tags,
  });
}

/** The version and the alias of `AutoPublishAlias`. */
function publish(sam: SamResource): Generated[] {
  const { properties, id } = sam;
  const alias = properties["AutoPublishAlias"];
  if (!isGiven(alias)) {
    for (const name of ["UseAliasAsEventTarget", "DeploymentPreference"]) {
      if (!isGiven(properties[name])) continue;
      throw resourceProblem(id, `'${name}' requires 'AutoPublishAlias' property to be specified.`);
    }
    return [];
  }
  const version = generate(
    `${id}Version`,
    "AWS::StepFunctions::StateMachineVersion",
    { StateMachineArn: ref(id), StateMachineRevisionId: getAtt(id, "StateMachineRevisionId") },
    { DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain", ...sam.inherited },
  );
  const preference = isGiven(properties["DeploymentPreference"])
    ? copyDict(asDict(properties["DeploymentPreference"]))
    : { Type: "ALL_AT_ONCE" };
  return [
    version,
    generate(
      `${id}Alias${display(alias)}`,
      "AWS::StepFunctions::StateMachineAlias",
      { Name: alias, DeploymentPreference: { ...preference, StateMachineVersionArn: ref(version.id) } },
      sam.inherited,
    ),
  ];
}

function eventResources(context: Context, sam: SamResource, targetId: string): Generated[] {
  return Object.entries(asDict(sam.properties["Events"])).flatMap(([eventId, event]) => {
    const { source, properties } = parseEvent(stateMachineEvents, sam.id, eventId, event);
    return source.generate(context, {
      id: sam.id + eventId,
      eventId,
      properties: copyDict(properties),
      target: { id: targetId, arn: ref(targetId), inherited: sam.inherited },
      permissionsBoundary: sam.properties["PermissionsBoundary"],
    });
  });
}
