import { resolve, type Context, type SamResource } from "./context.ts";
import { generate, type Generated } from "./generated.ts";
import { isIntrinsic } from "./intrinsics.ts";
import { hashedId } from "./logical-ids.ts";
import { resourceProblem } from "./problems.ts";
import type { PropertyRules } from "./property-rules.ts";
import { codeLocation } from "./s3-location.ts";
import { asList, isAbsent, isDict, isGiven, isString, type Dict } from "./values.ts";

export const layerVersionProperties: PropertyRules = {
  LayerName: "string|map",
  Description: "string",
  PublishLambdaVersion: "boolean",
  ContentUri: "string|map!",
  CompatibleArchitectures: "list<string|map>",
  CompatibleRuntimes: "list<string|map>",
  LicenseInfo: "string",
  RetentionPolicy: "string",
};

const unhashedAttributes = new Set(["DeletionPolicy", "UpdateReplacePolicy", "Metadata"]);
const retentionPolicies = ["Retain", "Delete"];

/** `AWS::Serverless::LayerVersion`: a layer version is immutable, so its logical id changes with everything it says. */
export function transformLayerVersion(context: Context, sam: SamResource): Generated[] {
  const { properties, id } = sam;
  for (const name of ["LayerName", "LicenseInfo", "Description", "RetentionPolicy"]) {
    if (!isGiven(properties[name])) continue;
    const value = resolve(context, properties[name]);
    if (!isString(value) && !isDict(value)) {
      throw resourceProblem(id, `Could not resolve parameter for '${name}' or parameter is not a String.`);
    }
    properties[name] = value;
  }
  const attributes: Dict = { DeletionPolicy: "Retain", ...sam.inherited };
  const retention = retentionPolicy(id, properties["RetentionPolicy"]);
  if (retention !== undefined) attributes["DeletionPolicy"] = retention;
  const newId = hashedId(id, hashed(sam));
  const architectures = properties["CompatibleArchitectures"];
  if (isGiven(architectures) && !isIntrinsic(architectures)) {
    for (const one of asList(architectures)) {
      if (isIntrinsic(one) || one === "arm64" || one === "x86_64") continue;
      throw resourceProblem(newId, "CompatibleArchitectures needs to be a list of 'x86_64' or 'arm64'");
    }
  }
  return [
    generate(
      newId,
      "AWS::Lambda::LayerVersion",
      {
        LayerName: isGiven(properties["LayerName"]) ? properties["LayerName"] : id,
        Description: properties["Description"],
        Content: codeLocation(newId, "ContentUri", properties["ContentUri"]),
        CompatibleArchitectures: architectures,
        CompatibleRuntimes: properties["CompatibleRuntimes"],
        LicenseInfo: properties["LicenseInfo"],
      },
      attributes,
      sam.resource["DependsOn"],
    ),
  ];
}

/** The resource as it stands, without what says nothing about the layer itself. */
function hashed(sam: SamResource): Dict {
  const { DependsOn: dependsOn } = sam.resource;
  const given = Object.entries(sam.properties).filter(([, value]) => !isAbsent(value));
  return {
    [sam.id]: {
      Type: sam.type,
      ...(isGiven(dependsOn) ? { DependsOn: dependsOn } : {}),
      ...Object.fromEntries(Object.entries(sam.attributes).filter(([name]) => !unhashedAttributes.has(name))),
      Properties: Object.fromEntries(given),
    },
  };
}

function retentionPolicy(id: string, value: unknown): string | undefined {
  const options = "['Retain', 'Delete']";
  if (isIntrinsic(value)) {
    throw resourceProblem(
      id,
      `'RetentionPolicy' does not accept intrinsic functions, please use one of the following options: ${options}`,
    );
  }
  if (isAbsent(value)) return undefined;
  if (!isString(value)) {
    throw resourceProblem(id, `Invalid 'RetentionPolicy' type, please use one of the following options: ${options}`);
  }
  const known = retentionPolicies.find((option) => option.toLowerCase() === value.toLowerCase());
  if (known !== undefined) return known;
  throw resourceProblem(id, `'RetentionPolicy' must be one of the following options: ${options}.`);
}
