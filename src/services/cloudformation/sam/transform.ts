import { partitionOf } from "./arns.ts";
import {
  connectorType,
  replaceDependencies,
  takeEmbeddedConnectors,
  toConnector,
  transformConnector,
  type Connector,
} from "./connectors.ts";
import type { Context, SamResource } from "./context.ts";
import { resolve } from "./context.ts";
import { deploymentResources } from "./deployment-preference.ts";
import { linkFunctionEvents } from "./function-events.ts";
import { expandPolicies, functionProperties, transformFunction } from "./function.ts";
import { attributesOf, inheritedAttributesOf, toTemplate, type Generated } from "./generated.ts";
import { mergeGlobals, parseGlobals } from "./globals.ts";
import { httpApiProperties, transformHttpApi } from "./http-api.ts";
import { addDefaultDefinitions, addImplicitApis, apiIdOf } from "./implicit-apis.ts";
import { renameReferences, resolveGenerated } from "./intrinsics.ts";
import { layerVersionProperties, transformLayerVersion } from "./layer-version.ts";
import {
  documentProblem,
  duplicateProblem,
  ofResource,
  Problem,
  resourceProblem,
  SamTransformError,
} from "./problems.ts";
import { checkProperties, type PropertyRules } from "./property-rules.ts";
import { applyOpenApiVersion, restApiProperties, transformRestApi } from "./rest-api.ts";
import { linkStateMachineEvents, stateMachineProperties, transformStateMachine } from "./state-machine.ts";
import { simpleTableProperties, transformSimpleTable } from "./simple-table.ts";
import {
  asDict,
  copy,
  copyDict,
  dictOf,
  display,
  isAbsent,
  isDict,
  isGiven,
  isString,
  toPlainDict,
  type Dict,
} from "./values.ts";
import { transformWebSocketApi, webSocketApiProperties } from "./websocket-api.ts";

export { SamTransformError } from "./problems.ts";

export interface SamTransformOptions {
  /** Resolved values of the template's parameters, by name. Defaults of parameters that are not here are taken from the template. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly region: string;
  /** AWS managed policies by name: their ARNs. Names that are not here stay as they are. */
  readonly managedPolicies: Readonly<Record<string, string>>;
  /** Milliseconds since 1970: an API with `AlwaysDeploy` is deployed anew with every second. */
  readonly now: number;
}

/**
 * What the `AWS::Serverless-2016-10-31` transform makes of a template (parsed, with intrinsic functions in long form): pure,
 * and the template handed in stays as it is. Throws `SamTransformError` with AWS's message.
 */
export function transformSam(
  template: Readonly<Record<string, unknown>>,
  options: SamTransformOptions,
): { readonly template: Record<string, unknown> } {
  const problems: Problem[] = [];
  try {
    const output = transformTemplate(copyDict(template), options, problems);
    if (problems.length > 0) throw new SamTransformError(problems);
    return { template: toPlainDict(output) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new SamTransformError([error]);
  }
}

interface SamType {
  /** Its section in `Globals`. */
  readonly section: string;
  readonly properties: PropertyRules;
  /** Functions come first, since their events write into APIs; then APIs, then the rest. */
  readonly rank: number;
  /** Before the properties are checked. */
  readonly prepare?: (sam: SamResource) => void;
  /** Before anything is generated. */
  readonly link?: (context: Context, sam: SamResource) => void;
  readonly transform: (context: Context, sam: SamResource) => Generated[];
  /** `Function.Alias` and the like: properties by which generated resources may be referred to. */
  readonly generated: Readonly<Record<string, string>>;
}

const samTypes: ReadonlyMap<string, SamType> = new Map<string, SamType>([
  [
    "AWS::Serverless::Function",
    {
      section: "Function",
      properties: functionProperties,
      rank: 0,
      prepare: expandPolicies,
      link: linkFunctionEvents,
      transform: transformFunction,
      generated: {
        Alias: "AWS::Lambda::Alias",
        Version: "AWS::Lambda::Version",
        DestinationTopic: "AWS::SNS::Topic",
        DestinationQueue: "AWS::SQS::Queue",
      },
    },
  ],
  [
    "AWS::Serverless::StateMachine",
    {
      section: "StateMachine",
      properties: stateMachineProperties,
      rank: 1,
      prepare: expandPolicies,
      link: linkStateMachineEvents,
      transform: transformStateMachine,
      generated: {},
    },
  ],
  [
    "AWS::Serverless::Api",
    {
      section: "Api",
      properties: restApiProperties,
      rank: 2,
      transform: transformRestApi,
      generated: {
        Stage: "AWS::ApiGateway::Stage",
        Deployment: "AWS::ApiGateway::Deployment",
        DomainName: "AWS::ApiGateway::DomainName",
        DomainNameV2: "AWS::ApiGateway::DomainNameV2",
        UsagePlan: "AWS::ApiGateway::UsagePlan",
        UsagePlanKey: "AWS::ApiGateway::UsagePlanKey",
        ApiKey: "AWS::ApiGateway::ApiKey",
      },
    },
  ],
  [
    "AWS::Serverless::HttpApi",
    {
      section: "HttpApi",
      properties: httpApiProperties,
      rank: 2,
      transform: transformHttpApi,
      generated: { Stage: "AWS::ApiGatewayV2::Stage", DomainName: "AWS::ApiGatewayV2::DomainName" },
    },
  ],
  [
    "AWS::Serverless::WebSocketApi",
    {
      section: "WebSocketApi",
      properties: webSocketApiProperties,
      rank: 2,
      transform: transformWebSocketApi,
      generated: { Stage: "AWS::ApiGatewayV2::Stage", DomainName: "AWS::ApiGatewayV2::DomainName" },
    },
  ],
  [
    "AWS::Serverless::SimpleTable",
    {
      section: "SimpleTable",
      properties: simpleTableProperties,
      rank: 3,
      transform: (_context, sam) => transformSimpleTable(sam),
      generated: {},
    },
  ],
  [
    "AWS::Serverless::LayerVersion",
    {
      section: "LayerVersion",
      properties: layerVersionProperties,
      rank: 3,
      transform: transformLayerVersion,
      generated: {},
    },
  ],
]);

/** Types of the SAM specification that this transform does not know yet: refused by name, never left in the template. */
const notYet = new Set(
  ["Application", "CapacityProvider", "GraphQLApi", "MicrovmImage", "NetworkConnector", "WebFunction"].map(
    (name) => `AWS::Serverless::${name}`,
  ),
);

/** A generated resource may have the id of the SAM resource it comes from, and no other. */
const replaced = new Map([
  ["AWS::Lambda::Function", "AWS::Serverless::Function"],
  ["AWS::Lambda::LayerVersion", "AWS::Serverless::LayerVersion"],
  ["AWS::ApiGateway::RestApi", "AWS::Serverless::Api"],
  ["AWS::ApiGatewayV2::Api", "AWS::Serverless::HttpApi"],
  ["AWS::DynamoDB::Table", "AWS::Serverless::SimpleTable"],
  ["AWS::StepFunctions::StateMachine", "AWS::Serverless::StateMachine"],
  ["AWS::S3::Bucket", "AWS::S3::Bucket"],
  ["AWS::SNS::Topic", "AWS::SNS::Topic"],
  ["AWS::Cognito::UserPool", "AWS::Cognito::UserPool"],
  ["AWS::ApiGateway::DomainName", "AWS::ApiGateway::DomainName"],
  ["AWS::ApiGateway::BasePathMapping", "AWS::ApiGateway::BasePathMapping"],
  ["AWS::ApiGateway::DomainNameV2", "AWS::ApiGateway::DomainNameV2"],
  ["AWS::ApiGateway::BasePathMappingV2", "AWS::ApiGateway::BasePathMappingV2"],
]);

function mayReplace(type: string, existing: unknown): boolean {
  if (type === "AWS::ApiGatewayV2::Api" && existing === "AWS::Serverless::WebSocketApi") return true;
  return replaced.has(type) && replaced.get(type) === existing;
}

function transformTemplate(source: Dict, options: SamTransformOptions, problems: Problem[]): Dict {
  const resources = checkShape(source);
  const parameters = parameterValues(source, options);
  addDefaultDefinitions(resources);
  addImplicitApis(source);
  applyGlobals(source, resources);
  const embedded = takeEmbeddedConnectors(resources, (work) => collect(problems, work));
  const written = new Map(Object.entries(resources).map(([id, resource]) => [id, asDict(resource)["Type"]]));
  const context = createContext(source, resources, parameters, options);
  refuseWhatIsNotTransformed(resources, problems);
  const renamed = new Map<string, string>();
  const generated = new Map<string, Map<string, string>>();
  for (const [id, type] of inOrder(resources)) {
    collect(problems, () => {
      const made = transformResource(context, id, type, problems);
      generated.set(id, generatedIds(made, type));
      const [first] = made;
      if (type.section === "LayerVersion" && first) renamed.set(id, first.id);
    });
  }
  const outputResources = asDict(context.output["Resources"]);
  for (const make of deploymentResources(context)) {
    collect(problems, () => {
      const resource = make();
      outputResources[resource.id] = toTemplate(resource);
    });
  }
  transformConnectors(embedded, outputResources, written, problems);
  Reflect.deleteProperty(context.output, "Transform");
  const output = copyDict(context.output);
  renameReferences(output, renamed);
  resolveGenerated(output, (id, property) => generated.get(id)?.get(property));
  return output;
}

/** Last of all: connectors connect what everything has become. */
function transformConnectors(
  embedded: readonly Connector[],
  resources: Dict,
  written: ReadonlyMap<string, unknown>,
  problems: Problem[],
): void {
  const own = [...written].flatMap(([id, type]) => (type === connectorType ? [toConnector(id, resources[id])] : []));
  for (const { id } of own) Reflect.deleteProperty(resources, id);
  for (const connector of [...own, ...embedded]) {
    collect(problems, () => {
      const made = transformConnector(connector, resources, (id) => written.get(id));
      replaceDependencies(
        resources,
        connector.id,
        made.map(({ id }) => id),
      );
      for (const resource of made) {
        if (Object.hasOwn(resources, resource.id)) {
          problems.push(duplicateProblem(connector.id, resource.id, resource.type));
        } else resources[resource.id] = toTemplate(resource);
      }
    });
  }
}

function collect(problems: Problem[], work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Problem) || error.fatal) throw error;
    problems.push(error);
  }
}

function checkShape(source: Dict): Dict {
  const resources = source["Resources"];
  if (!isDict(resources) || !isGiven(resources)) throw documentProblem("'Resources' section is required");
  if (!Object.values(resources).every(isDict)) {
    throw documentProblem("All 'Resources' must be Objects. If you're using YAML, this may be an indentation issue.");
  }
  for (const [id, resource] of samResources(resources)) {
    const condition = resource["Condition"];
    if (isGiven(condition) && !isString(condition)) {
      throw documentProblem("Every Condition member must be a string.");
    }
    if (Object.hasOwn(resource, "Properties") && !isDict(resource["Properties"])) {
      throw new Problem(resourceProblem(id, "Attribute 'Properties' should be a map.").message, { fatal: true });
    }
  }
  return resources;
}

function samResources(resources: Dict): (readonly [id: string, resource: Dict])[] {
  return Object.entries(resources)
    .map(([id, resource]) => [id, asDict(resource)] as const)
    .filter(([, { Type: type }]) => isString(type) && (samTypes.has(type) || notYet.has(type)));
}

function parameterValues(source: Dict, options: SamTransformOptions): Dict {
  const values = dictOf({});
  for (const [name, definition] of Object.entries(asDict(source["Parameters"]))) {
    if (isDict(definition) && Object.hasOwn(definition, "Default")) values[name] = definition["Default"];
  }
  for (const [name, value] of Object.entries(options.parameters)) values[name] = copy(value);
  values["AWS::Region"] ??= options.region;
  values["AWS::Partition"] ??= partitionOf(options.region);
  return values;
}

function applyGlobals(source: Dict, resources: Dict): void {
  if (Object.hasOwn(source, "Globals")) {
    const globals = parseGlobals(source["Globals"]);
    for (const [id, resource] of samResources(resources)) {
      const section = display(resource["Type"]).replace("AWS::Serverless::", "");
      resource["Properties"] = mergeGlobals(
        globals,
        id,
        section,
        asDict(resource["Properties"]),
        resource["IgnoreGlobals"],
      );
    }
    Reflect.deleteProperty(source, "Globals");
  }
  applyOpenApiVersion(resources);
}

function createContext(source: Dict, resources: Dict, parameters: Dict, options: SamTransformOptions): Context {
  const mappings = source["Mappings"] ?? (Object.hasOwn(source, "Mappings") ? undefined : {});
  if (!isDict(mappings)) {
    throw documentProblem("'Mappings' or 'Parameters' is either null or not a valid dictionary.");
  }
  return {
    source,
    resources,
    output: copyDict(source),
    parameters,
    mappings,
    region: options.region,
    partition: partitionOf(options.region),
    managedPolicies: options.managedPolicies,
    now: options.now,
    recordSetGroups: new Map(),
    sharedUsagePlan: {
      apis: [],
      planStages: [],
      keyStages: [],
      conditions: new Set(),
      someUnconditional: false,
      deletionPolicy: undefined,
      updateReplacePolicy: undefined,
    },
    deployments: new Map(),
    functionNames: new Map(),
  };
}

function refuseWhatIsNotTransformed(resources: Dict, problems: Problem[]): void {
  for (const [id, resource] of Object.entries(resources)) {
    const { Type: type } = asDict(resource);
    if (isString(type) && notYet.has(type)) {
      problems.push(resourceProblem(id, `Resources of type ${type} are not supported yet.`));
    }
  }
}

function inOrder(resources: Dict): (readonly [id: string, type: SamType])[] {
  return Object.entries(resources)
    .flatMap(([id, resource]): (readonly [string, SamType])[] => {
      const type = asDict(resource)["Type"];
      const samType = isString(type) ? samTypes.get(type) : undefined;
      return samType ? [[id, samType]] : [];
    })
    .toSorted(([, a], [, b]) => a.rank - b.rank);
}

function transformResource(context: Context, id: string, type: SamType, problems: Problem[]): Generated[] {
  const resource = asDict(context.resources[id]);
  const name = display(resource["Type"]);
  if (!/^[A-Za-z0-9]+$/.test(id)) throw resourceProblem(id, "Logical ids must be alphanumeric.");
  resource["Properties"] ??= dictOf({});
  const sam: SamResource = {
    id,
    type: name,
    resource,
    properties: { ...asDict(resource["Properties"]) },
    attributes: attributesOf(resource),
    inherited: inheritedAttributesOf(resource),
    culprit: ofResource(id),
  };
  type.prepare?.(sam);
  checkProperties(id, name, sam.properties, type.properties);
  type.link?.(context, sam);
  if (name === "AWS::Serverless::Function") noteFunctionName(context, sam);
  const generated = type.transform(context, sam);
  const outputResources = asDict(context.output["Resources"]);
  Reflect.deleteProperty(outputResources, id);
  for (const made of generated) {
    const existing = Object.hasOwn(context.resources, made.id) ? asDict(context.resources[made.id]) : undefined;
    const existingType = existing?.["Type"];
    if (existing && !mayReplace(made.type, existingType)) {
      problems.push(duplicateProblem(id, made.id, made.type));
    } else outputResources[made.id] = copy(toTemplate(made));
  }
  return generated;
}

/** AWS: renaming a function that names itself deploys the REST APIs anew that its events name. */
function noteFunctionName(context: Context, sam: SamResource): void {
  const name = resolve(context, copy(sam.properties["FunctionName"]));
  if (!isGiven(name)) return;
  for (const event of Object.values(asDict(sam.properties["Events"]))) {
    const { Type: type, Properties: properties } = asDict(event);
    const api = apiIdOf(asDict(properties)["RestApiId"]);
    if (type !== "Api" || !isString(api)) continue;
    context.functionNames.set(api, (context.functionNames.get(api) ?? "") + display(name));
  }
}

function generatedIds(generated: readonly Generated[], type: SamType): Map<string, string> {
  const byType = new Map(generated.map((made) => [made.type, made.id]));
  const ids = Object.entries(type.generated).map(([property, made]) => [property, byType.get(made)] as const);
  return new Map(ids.filter((entry): entry is readonly [string, string] => !isAbsent(entry[1])));
}
