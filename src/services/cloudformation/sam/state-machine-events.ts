import { addRouteAuth, linkRestApi, type Route } from "./api-event.ts";
import type { Context } from "./context.ts";
import { hasIntegration, integrate, integrationKey } from "./definition.ts";
import { generate, type Generated } from "./generated.ts";
import { managed } from "./implicit-apis.ts";
import { getAtt, makeIf, sub } from "./intrinsics.ts";
import { eventProblem } from "./problems.ts";
import type { PropertyRules } from "./property-rules.ts";
import { allow, assumeRolePolicy, inlinePolicy } from "./role.ts";
import {
  deadLetters,
  eventsRule,
  patternProperties,
  patternRule,
  patternTarget,
  ruleState,
  scheduleProperties,
  type RuleEvent,
} from "./rule-events.ts";
import { scheduleV2, scheduleV2Properties } from "./scheduler-event.ts";
import { openSwagger } from "./swagger.ts";
import { dictOf, display, isAbsent, isGiven, type Dict } from "./values.ts";

export interface StateMachineEvent extends RuleEvent {
  readonly permissionsBoundary: unknown;
}

export interface StateMachineEventSource {
  readonly properties: PropertyRules;
  readonly link?: (context: Context, eventId: string, properties: Dict) => void;
  readonly generate: (context: Context, event: StateMachineEvent) => Generated[];
}

const targetSuffix = "StepFunctionsTarget";

/** The role in which a service starts executions. */
function startRole(event: StateMachineEvent, service: string): Generated {
  const id = `${event.id}Role`;
  return generate(
    id,
    "AWS::IAM::Role",
    {
      AssumeRolePolicyDocument: assumeRolePolicy(service),
      Policies: [startPolicy(event, id)],
      PermissionsBoundary: isGiven(event.permissionsBoundary) ? event.permissionsBoundary : undefined,
    },
    event.target.inherited,
  );
}

function startPolicy(event: RuleEvent, prefix: string): Dict {
  return inlinePolicy(`${prefix}StartExecutionPolicy`, [allow("states:StartExecution", event.target.arn)]);
}

const schedule: StateMachineEventSource = {
  properties: { ...scheduleProperties, Target: "=map", RoleArn: "=string" },
  generate(_context, event) {
    const { properties } = event;
    const role = isAbsent(properties["RoleArn"]) ? [startRole(event, "events.amazonaws.com")] : [];
    const roleArn = role[0] ? getAtt(role[0].id, "Arn") : properties["RoleArn"];
    const state = ruleState(event);
    const dlq = deadLetters(event);
    const rule = eventsRule(event, {
      ScheduleExpression: properties["Schedule"],
      State: state,
      Name: properties["Name"],
      Description: properties["Description"],
      Targets: [patternTarget(event, targetSuffix, { RoleArn: roleArn }, dlq.config)],
    });
    return [rule, ...role, ...dlq.resources];
  },
};

const pattern: StateMachineEventSource = {
  properties: { ...patternProperties, Target: "=map" },
  generate(_context, event) {
    const role = startRole(event, "events.amazonaws.com");
    const dlq = deadLetters(event);
    const target = patternTarget(event, targetSuffix, { RoleArn: getAtt(role.id, "Arn") }, dlq.config);
    return [eventsRule(event, { ...patternRule(event), Targets: [target] }), role, ...dlq.resources];
  },
};

const api: StateMachineEventSource = {
  properties: {
    Path: "string!",
    Method: "string!",
    RestApiId: "string!",
    Stage: "string",
    Auth: "map",
    UnescapeMappingTemplate: "=boolean",
  },
  link: (context, eventId, properties) => void linkRestApi(context, eventId, properties["RestApiId"]),
  generate(context, event) {
    const { properties, eventId } = event;
    const role = startRole(event, "apigateway.amazonaws.com");
    const route: Route = {
      eventId,
      api: linkRestApi(context, eventId, properties["RestApiId"]),
      path: display(properties["Path"]),
      method: display(properties["Method"]).toLowerCase(),
      auth: properties["Auth"],
    };
    if (isGiven(route.api.properties[managed])) addIntegration(context, event, route, getAtt(role.id, "Arn"));
    return [role];
  },
};

function addIntegration(context: Context, event: StateMachineEvent, route: Route, credentials: Dict): void {
  const { path, method } = route;
  const { properties } = route.api;
  if (isAbsent(properties["DefinitionBody"])) return;
  const definition = openSwagger(properties["DefinitionBody"]);
  if (hasIntegration(definition, path, method)) {
    throw eventProblem(event.eventId, `API method "${method}" defined multiple times for path "${path}".`);
  }
  const condition = event.target.inherited["Condition"];
  const uri = sub("arn:${AWS::Partition}:apigateway:${AWS::Region}:states:action/StartExecution");
  integrate(definition, path, method, condition, (target) => {
    target[integrationKey] = dictOf({
      type: "aws",
      httpMethod: "POST",
      uri: isGiven(condition) ? makeIf(condition, uri) : uri,
      responses: { "200": { statusCode: "200" }, "400": { statusCode: "400" } },
      credentials,
      requestTemplates: { "application/json": sub(requestTemplate(event)) },
    });
    target["responses"] ??= { "200": { description: "OK" }, "400": { description: "Bad Request" } };
  });
  addRouteAuth(context, definition, route);
  properties["DefinitionBody"] = definition;
}

function requestTemplate(event: StateMachineEvent): string {
  const input = "$util.escapeJavaScript($input.json('$'))";
  const arn = `\${${event.target.id}}`;
  // Escaped quotation marks are not valid JSON: this form takes the escapes away again.
  return isGiven(event.properties["UnescapeMappingTemplate"])
    ? `{"input": "${input}.replaceAll("\\\\'","'")", "stateMachineArn": "${arn}"}`
    : `{"input": "${input}", "stateMachineArn": "${arn}"}`;
}

/** The event sources of state machines by their `Type`. */
export const stateMachineEvents: ReadonlyMap<string, StateMachineEventSource> = new Map([
  ["Schedule", schedule],
  ["CloudWatchEvent", pattern],
  ["EventBridgeRule", pattern],
  ["Api", api],
  [
    "ScheduleV2",
    {
      properties: scheduleV2Properties,
      generate: (_context, event) => scheduleV2(event, startPolicy(event, event.id)),
    },
  ],
]);
