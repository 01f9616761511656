import { resolve, type Context, type SamResource } from "./context.ts";
import { generate, toTemplate, type Generated } from "./generated.ts";
import { getAtt, ref, referencedId } from "./intrinsics.ts";
import { hashSuffix } from "./logical-ids.ts";
import { resourceProblem } from "./problems.ts";
import { asDict, copy, isAbsent, isGiven, isList, type Dict } from "./values.ts";

/** The version that `AutoPublishAlias` publishes: its logical id changes when the code (or whatever counts as such) does. */
export function functionVersion(
  context: Context,
  sam: SamResource,
  lambda: Generated,
  sha256: string | undefined,
): Generated {
  const { properties } = sam;
  lambda.properties["Code"] = resolve(context, lambda.properties["Code"]);
  const counted = isGiven(properties["AutoPublishAliasAllProperties"])
    ? everything(context, lambda)
    : codeAndSettings(lambda.properties);
  const attributes = { ...sam.inherited };
  if (!Object.hasOwn(attributes, "DeletionPolicy")) {
    const normal = isAbsent(properties["CapacityProviderConfig"]) ? "Retain" : "Delete";
    attributes["DeletionPolicy"] = properties["VersionDeletionPolicy"] ?? normal;
  }
  const scales = !isAbsent(properties["CapacityProviderConfig"]) && !isAbsent(properties["FunctionScalingConfig"]);
  return generate(
    `${sam.id}Version${sha256 === undefined || sha256 === "" ? hashSuffix(counted) : sha256.slice(0, 10)}`,
    "AWS::Lambda::Version",
    {
      FunctionName: ref(sam.id),
      Description: properties["VersionDescription"],
      FunctionScalingConfig: scales ? properties["FunctionScalingConfig"] : undefined,
    },
    attributes,
  );
}

function codeAndSettings(lambda: Dict): Dict {
  const counted: Dict = { ...asDict(lambda["Code"]) };
  if (isGiven(lambda["Environment"])) Object.assign(counted, lambda["Environment"]);
  if (isGiven(lambda["MemorySize"])) counted["MemorySize"] = lambda["MemorySize"];
  const applyOn = asDict(lambda["SnapStart"])["ApplyOn"] ?? "None";
  if (isGiven(lambda["SnapStart"]) && applyOn !== "None") counted["SnapStart"] = lambda["SnapStart"];
  return counted;
}

/** All properties of the function, and those of layers that ask for it. */
function everything(context: Context, lambda: Generated): Dict {
  const counted = asDict(copy(toTemplate(lambda)["Properties"]));
  const layers = lambda.properties["Layers"];
  for (const layer of isList(layers) ? layers : []) {
    const id = referencedId(layer);
    const properties = asDict(asDict(asDict(context.output["Resources"])[id ?? ""])["Properties"]);
    if (id !== undefined && isGiven(properties["PublishLambdaVersion"])) counted[id] = properties;
  }
  return counted;
}

export function functionAlias(sam: SamResource, name: string, version: Generated): Generated {
  if (name === "") throw resourceProblem(sam.id, "Alias name is required to create an alias");
  if (!/^(?!^[0-9]+$)([a-zA-Z0-9\-_]+)$/.test(name)) {
    throw resourceProblem(
      sam.id,
      `AutoPublishAlias name ('${name}') must contain only alphanumeric characters, hyphens, or underscores matching (?!^[0-9]+$)([a-zA-Z0-9-_]+) pattern.`,
    );
  }
  const provisioned = sam.properties["ProvisionedConcurrencyConfig"];
  return generate(
    `${sam.id}Alias${name.replaceAll("-", "D").replaceAll("_", "U")}`,
    "AWS::Lambda::Alias",
    {
      Name: name,
      FunctionName: ref(sam.id),
      FunctionVersion: getAtt(version.id, "Version"),
      ProvisionedConcurrencyConfig: isGiven(provisioned) ? provisioned : undefined,
    },
    sam.inherited,
  );
}
