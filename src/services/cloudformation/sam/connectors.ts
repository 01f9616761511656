import {
  connectorProfiles,
  type ConnectorProfile,
  type PermissionAccess,
  type PolicyAccess,
} from "./connector-profiles.ts";
import { attributesOf, generate, type Generated } from "./generated.ts";
import { duplicateProblem, expectMap, ofResource, resourceProblem } from "./problems.ts";
import { checkProperties, type PropertyRules } from "./property-rules.ts";
import { asDict, asList, copyDict, dictOf, display, isDict, isGiven, isString, type Dict } from "./values.ts";

export const connectorType = "AWS::Serverless::Connector";

const connectorProperties: PropertyRules = {
  Source: "map!",
  Destination: "map|list<map>!",
  Permissions: "list<string>!",
};

/** A connector, of its own or within its source. */
export interface Connector {
  readonly id: string;
  readonly resource: Dict;
}

/** Connectors that resources have within them become connectors of their own; the resources lose the attribute. */
export function takeEmbeddedConnectors(resources: Dict, collect: (work: () => void) => void): Connector[] {
  const found: Connector[] = [];
  for (const [sourceId, value] of Object.entries(resources)) {
    const resource = asDict(value);
    if (!Object.hasOwn(resource, "Connectors")) continue;
    const embedded = resource["Connectors"];
    Reflect.deleteProperty(resource, "Connectors");
    collect(() => {
      expectMap(embedded, "Connectors", ofResource(sourceId), "Attribute 'Connectors' should be a map.");
      for (const [name, given] of Object.entries(asDict(embedded))) {
        collect(() => {
          const id = `${sourceId}${name}`;
          if (!isDict(given)) throw resourceProblem(id, `${sourceId}.${id} should be a map.`);
          if (Object.hasOwn(resources, id)) throw duplicateProblem(sourceId, id, connectorType);
          const where = `Connectors.${name}.Properties`;
          const { SourceReference: reference, ...properties } = expectMap(
            given["Properties"],
            where,
            ofResource(sourceId),
            `Attribute '${where}' should be a map.`,
          );
          found.push({
            id,
            resource: dictOf({
              ...given,
              Properties: { ...properties, Source: { ...asDict(reference), Id: sourceId } },
            }),
          });
        });
      }
    });
  }
  return found;
}

/** What a connector becomes. `resources`: the template's as they have become; `typeOf`: what a resource was written as. */
export function transformConnector(
  { id, resource }: Connector,
  resources: Dict,
  typeOf: (logicalId: string) => unknown,
): Generated[] {
  const properties = asDict(resource["Properties"]);
  checkProperties(id, connectorType, properties, connectorProperties);
  const isSeveral = Array.isArray(properties["Destination"]);
  const destinations = isSeveral ? asList(properties["Destination"]) : [properties["Destination"]];
  if (destinations.length === 0) throw resourceProblem(id, "'Destination' is an empty list");
  return destinations.flatMap((given, index) => {
    const destination = refer(id, asDict(given), resources);
    const source = refer(id, asDict(properties["Source"]), resources);
    const profile = profileOf(id, source, destination, properties["Permissions"]);
    const suffix = isSeveral ? `Destination${index}` : "";
    const attributes = {
      ...attributesOf(resource),
      Metadata: {
        "aws:sam:connectors": {
          [id]: {
            Source: { Type: typeOf(source.id) ?? source.type },
            Destination: { Type: typeOf(destination.id) ?? destination.type },
          },
        },
      },
    };
    const ends = { source, destination };
    const make = (name: string, type: string, made: Dict) =>
      generate(`${id}${name}${suffix}`, type, made, attributes, resource["DependsOn"]);
    if (profile.grants === "permission") {
      const { arn } = destination;
      if (!isGiven(arn)) throw resourceProblem(id, "Unable to get Lambda function ARN from 'Destination' resource.");
      return profile.access.map(([name, access]) =>
        make(`${name}LambdaPermission`, "AWS::Lambda::Permission", permission(id, access as PermissionAccess, ends)),
      );
    }
    const holder = ends[profile.grants];
    if (!isGiven(holder.roleName)) {
      const end = profile.grants === "source" ? "Source" : "Destination";
      throw resourceProblem(id, `Unable to get IAM role name from '${end}' resource.`);
    }
    const statements = profile.access.map(([, access]) => statement(id, access as PolicyAccess, ends));
    const policy = make("Policy", "AWS::IAM::ManagedPolicy", {
      PolicyDocument: { Version: "2012-10-17", Statement: statements },
      Roles: [holder.roleName],
    });
    if (profile.isForStream) letMappingWait(resources, source.id, destination.id, policy.id);
    return [policy];
  });
}

/** One end of a connector: what is known of the resource. */
interface End {
  readonly id: string;
  readonly type: string;
  readonly arn: unknown;
  readonly resourceId: unknown;
  readonly qualifier: unknown;
  readonly roleName: unknown;
}

interface Ends {
  readonly source: End;
  readonly destination: End;
}

const cloudFormationTypes = new Map([
  ["AWS::Serverless::Function", "AWS::Lambda::Function"],
  ["AWS::Serverless::SimpleTable", "AWS::DynamoDB::Table"],
  ["AWS::Serverless::Api", "AWS::ApiGateway::RestApi"],
  ["AWS::Serverless::HttpApi", "AWS::ApiGatewayV2::Api"],
]);

function refer(connectorId: string, given: Dict, resources: Dict): End {
  const hasId = Object.hasOwn(given, "Id");
  const hasMore = Object.keys(given).some((name) => name !== "Id" && name !== "Qualifier");
  if (hasId === hasMore) {
    throw resourceProblem(
      connectorId,
      "Must provide 'Id' (with optional 'Qualifier') or a supported combination of other properties.",
    );
  }
  if (!hasId) {
    const type = given["Type"];
    if (!isString(type) || type.trim() === "") throw resourceProblem(connectorId, "'Type' is missing or not a string.");
    return {
      id: "",
      type: cloudFormationTypes.get(type) ?? type,
      arn: given["Arn"],
      resourceId: given["ResourceId"],
      qualifier: given["Qualifier"],
      roleName: given["RoleName"],
    };
  }
  const id = given["Id"];
  if (!isString(id) || id.trim() === "") throw resourceProblem(connectorId, "'Id' is missing or not a string.");
  if (!Object.hasOwn(resources, id)) {
    throw resourceProblem(connectorId, `Unable to find resource with logical ID '${id}'.`);
  }
  const resource = asDict(resources[id]);
  const type = display(resource["Type"]);
  const isApi = type.startsWith("AWS::ApiGateway");
  return {
    id,
    type,
    arn: { "Fn::GetAtt": [id, "Arn"] },
    resourceId: { Ref: id },
    qualifier: Object.hasOwn(given, "Qualifier") ? given["Qualifier"] : isApi ? "*" : undefined,
    roleName: type === "AWS::Lambda::Function" ? roleNameOf(asDict(resource["Properties"])["Role"]) : undefined,
  };
}

/** Of a role of the same template. */
function roleNameOf(role: unknown): unknown {
  const id = referredBy(role);
  return id === undefined ? undefined : { Ref: id };
}

function referredBy(reference: unknown): string | undefined {
  if (!isDict(reference)) return undefined;
  const { Ref: ref, "Fn::GetAtt": attribute } = reference;
  const id = ref ?? (isString(attribute) ? attribute.split(".")[0] : asList(attribute)[0]);
  return isString(id) ? id : undefined;
}

/** AWS's connectors know these types too: they are not here. */
const notHere = /^AWS::(?:SQS|SNS|Events|StepFunctions|AppSync|Location|Serverless::(?:StateMachine|GraphQLApi))/;

type Access = readonly (readonly [name: string, access: PolicyAccess | PermissionAccess])[];

function profileOf(
  id: string,
  source: End,
  destination: End,
  permissions: unknown,
): Omit<ConnectorProfile, "access"> & { readonly access: Access } {
  const pair = `${source.type} to ${destination.type}`;
  const found = connectorProfiles[source.type]?.[destination.type];
  if (!found && (notHere.test(source.type) || notHere.test(destination.type))) {
    throw resourceProblem(id, `A connector from ${pair} is not supported yet.`);
  }
  if (!found) {
    throw resourceProblem(
      id,
      `Unable to create connector from ${pair}; it's not supported or the template is invalid.`,
    );
  }
  const valid = Object.keys(found.access).join(", ");
  const wanted = asList(permissions);
  if (wanted.length === 0) {
    throw resourceProblem(id, `'Permissions' cannot be empty; valid values are: ${valid}.`);
  }
  if (!wanted.every((name) => isString(name) && Object.hasOwn(found.access, name))) {
    throw resourceProblem(
      id,
      `Unsupported 'Permissions' provided for connector from ${pair}; valid values are: ${valid}.`,
    );
  }
  return { ...found, access: Object.entries(found.access).filter(([name]) => wanted.includes(name)) };
}

function statement(id: string, { actions, resources }: PolicyAccess, ends: Ends): Dict {
  return { Effect: "Allow", Action: [...actions], Resource: resources.map((text) => fill(id, text, ends)) };
}

function permission(id: string, { principal, sourceArn, sourceAccount }: PermissionAccess, ends: Ends): Dict {
  return {
    Action: "lambda:InvokeFunction",
    FunctionName: ends.destination.arn,
    Principal: principal,
    ...(sourceAccount !== undefined && { SourceAccount: { "Fn::Sub": sourceAccount } }),
    SourceArn: fill(id, sourceArn, ends),
  };
}

/** `%{Source.Arn}` alone is the value itself; with something about it, an `Fn::Sub`. */
function fill(id: string, text: string, ends: Ends): unknown {
  const values: Dict = {};
  const filled = text.replaceAll(
    /%\{(Source|Destination)\.(Arn|ResourceId|Qualifier)\}/g,
    (_all, end: string, name: string) => {
      const { arn, resourceId, qualifier } = end === "Source" ? ends.source : ends.destination;
      const value = { Arn: arn, ResourceId: resourceId, Qualifier: qualifier }[name];
      if (!isGiven(value)) throw resourceProblem(id, `Unable to get ${end}.${name}: it must be given.`);
      values[`${end}${name}`] = value;
      return `\${${end}${name}}`;
    },
  );
  const [only] = Object.keys(values);
  if (filled === `\${${only ?? ""}}`) return values[only ?? ""];
  return { "Fn::Sub": [filled, values] };
}

/** The mapping from the stream to the function begins to read when it may. */
function letMappingWait(resources: Dict, sourceId: string, functionId: string, policyId: string): void {
  const mappings = Object.values(resources).filter((value) => {
    const { Type: type, Properties: properties } = asDict(value);
    const { EventSourceArn: source, FunctionName: name } = asDict(properties);
    return (
      type === "AWS::Lambda::EventSourceMapping" && referredBy(source) === sourceId && referredBy(name) === functionId
    );
  });
  const [mapping] = mappings;
  // There can only be one: with several it is the template that is wrong.
  if (mappings.length !== 1 || !isDict(mapping)) return;
  const before = isGiven(mapping["DependsOn"]) ? [mapping["DependsOn"]].flat() : [];
  mapping["DependsOn"] = [...before.filter((each) => each !== policyId), policyId];
}

/** Whoever depends on a connector depends on what it has become. */
export function replaceDependencies(resources: Dict, connectorId: string, made: readonly string[]): void {
  for (const value of Object.values(resources)) {
    if (!isDict(value) || !isGiven(value["DependsOn"])) continue;
    const before = [value["DependsOn"]].flat();
    if (!before.includes(connectorId)) continue;
    value["DependsOn"] = [...before.filter((each) => each !== connectorId), ...made];
  }
}

/** A connector that stands in the template. */
export function toConnector(id: string, resource: unknown): Connector {
  return { id, resource: copyDict(asDict(resource)) };
}
