import { resourceProblem } from "./problems.ts";
import { asDict, isAbsent, isDict, isGiven, type Dict } from "./values.ts";

/** A CloudFormation resource that the transform makes. */
export interface Generated {
  readonly id: string;
  readonly type: string;
  /** `Condition`, `DeletionPolicy`, `Metadata` and so on. */
  attributes: Dict;
  dependsOn?: unknown;
  properties: Dict;
}

export function generate(
  id: string,
  type: string,
  properties: Dict,
  attributes: Dict = {},
  dependsOn?: unknown,
): Generated {
  if (!/^[A-Za-z0-9]+$/.test(id)) throw resourceProblem(id, "Logical ids must be alphanumeric.");
  return { id, type, attributes: { ...attributes }, properties, dependsOn };
}

/** As it stands in the template: without the properties that were left open. */
export function toTemplate(resource: Generated): Dict {
  const properties: Dict = {};
  for (const [name, value] of Object.entries(resource.properties)) if (!isAbsent(value)) properties[name] = value;
  return {
    Type: resource.type,
    ...(isGiven(resource.dependsOn) ? { DependsOn: resource.dependsOn } : {}),
    ...resource.attributes,
    Properties: properties,
  };
}

const passedAttributes = ["Condition", "DeletionPolicy", "UpdateReplacePolicy"];
const keptAttributes = ["DeletionPolicy", "UpdatePolicy", "Condition", "UpdateReplacePolicy", "Metadata"];

/** The attributes that the main resource keeps. */
export function attributesOf(resource: Dict): Dict {
  return pick(resource, keptAttributes);
}

/** The attributes that everything a SAM resource generates inherits. */
export function inheritedAttributesOf(resource: Dict): Dict {
  return pick(resource, passedAttributes);
}

function pick(from: Dict, names: readonly string[]): Dict {
  return Object.fromEntries(names.filter((name) => Object.hasOwn(from, name)).map((name) => [name, from[name]]));
}

export function tagList(tags: unknown): Dict[] {
  return Object.entries(asDict(tags)).map(([Key, value]) => ({ Key, Value: isAbsent(value) ? "" : value }));
}

const reservedTags = ["lambda:createdBy", "serverlessrepo:applicationId", "serverlessrepo:semanticVersion"];

/** The tags of a Lambda or IAM resource: SAM's own first, then `extra`, then the template's, which may not be SAM's. */
export function createdBySam(logicalId: string, tags: unknown, extra: Dict = {}): Dict[] {
  for (const tag of reservedTags) {
    if (isDict(tags) && Object.hasOwn(tags, tag)) {
      throw resourceProblem(
        logicalId,
        `${tag} is a reserved Tag key name and cannot be set on your resource. Please change the tag key in the input.`,
      );
    }
  }
  return [{ Key: "lambda:createdBy", Value: "SAM" }, ...tagList(extra), ...tagList(tags)];
}

const taggedWithLists = new Set([
  "AWS::ApiGateway::ApiKey",
  "AWS::ApiGateway::DomainName",
  "AWS::ApiGateway::DomainNameAccessAssociation",
  "AWS::ApiGateway::DomainNameV2",
  "AWS::ApiGateway::RestApi",
  "AWS::ApiGateway::Stage",
  "AWS::ApiGateway::UsagePlan",
  "AWS::IAM::Role",
  "AWS::IoT::TopicRule",
  "AWS::Lambda::Function",
  "AWS::S3::Bucket",
  "AWS::SNS::Topic",
  "AWS::SQS::Queue",
  "AWS::StepFunctions::StateMachine",
]);
const taggedWithMaps = new Set(["AWS::ApiGatewayV2::DomainName", "AWS::ApiGatewayV2::Stage"]);

/** `PropagateTags`: the SAM resource's tags on everything generated that can carry tags. AWS: they replace what was there. */
export function propagateTags(resources: readonly Generated[], tags: unknown): void {
  if (!isGiven(tags)) return;
  for (const resource of resources) {
    if (taggedWithLists.has(resource.type)) resource.properties["Tags"] = tagList(tags);
    if (taggedWithMaps.has(resource.type)) resource.properties["Tags"] = tags;
  }
}
