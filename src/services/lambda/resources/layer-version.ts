import type { S3ObjectStorageMode } from "@aws-sdk/client-lambda";
import type { ResourceType } from "../../cloudformation/port.ts";
import { notImplemented } from "../../../aws/error.ts";
import { toArchitecture, toRuntime } from "../configuration.ts";
import { parseLayerVersionArn } from "../names.ts";
import type { Sdk } from "../needs.ts";
import { defined, objectOf, stringsOf, textOf, unlessGone } from "./properties.ts";

export const layerVersionType: ResourceType = {
  type: "AWS::Lambda::LayerVersion",
  properties: [
    "CompatibleArchitectures",
    "CompatibleRuntimes",
    "Content.S3Bucket",
    "Content.S3Key",
    "Content.S3ObjectStorageMode",
    "Content.S3ObjectVersion",
    "Description",
    "LayerName",
    "LicenseInfo",
  ],
  attributes: ["LayerVersionArn"],

  async create(context) {
    const { properties } = context;
    const content = objectOf(properties, "Content") ?? {};
    const published = await context.client<Sdk>("lambda").PublishLayerVersion({
      LayerName: textOf(properties, "LayerName") ?? context.generateName(140),
      Content: defined({
        S3Bucket: textOf(content, "S3Bucket"),
        S3Key: textOf(content, "S3Key"),
        S3ObjectVersion: textOf(content, "S3ObjectVersion"),
        S3ObjectStorageMode: toStorageMode(textOf(content, "S3ObjectStorageMode")),
      }),
      ...defined({
        Description: textOf(properties, "Description"),
        LicenseInfo: textOf(properties, "LicenseInfo"),
        CompatibleRuntimes: stringsOf(properties, "CompatibleRuntimes")?.map(toRuntime),
        CompatibleArchitectures: stringsOf(properties, "CompatibleArchitectures")?.map(toArchitecture),
      }),
    });
    const arn = published.LayerVersionArn ?? "";
    return { physicalId: arn, attributes: { LayerVersionArn: arn } };
  },

  update(context) {
    // All else replaces the version. A package is kept here, whether it is copied (the default) or not.
    if (textOf(objectOf(context.properties, "Content") ?? {}, "S3ObjectStorageMode") === "REFERENCE") {
      throw notImplemented("Content.S3ObjectStorageMode=REFERENCE");
    }
    return Promise.resolve(context.state);
  },

  async delete(context) {
    const layer = parseLayerVersionArn(context.state.physicalId);
    if (!layer) return;
    const input = { LayerName: layer.name, VersionNumber: layer.version };
    await unlessGone(context.client<Sdk>("lambda").DeleteLayerVersion(input));
  },
};

// The operation checks it against the model's enumeration.
function toStorageMode(text: string | undefined): S3ObjectStorageMode | undefined {
  return text as S3ObjectStorageMode | undefined;
}

export const layerVersionPermissionType: ResourceType = {
  type: "AWS::Lambda::LayerVersionPermission",
  properties: ["Action", "LayerVersionArn", "OrganizationId", "Principal"],
  attributes: ["Id"],

  async create(context) {
    const { properties } = context;
    const arn = textOf(properties, "LayerVersionArn") ?? "";
    const statementId = context.generateName(100);
    const layer = parseLayerVersionArn(arn);
    await context.client<Sdk>("lambda").AddLayerVersionPermission({
      LayerName: arn.slice(0, arn.lastIndexOf(":")),
      VersionNumber: layer?.version,
      StatementId: statementId,
      Action: textOf(properties, "Action"),
      Principal: textOf(properties, "Principal"),
      ...defined({ OrganizationId: textOf(properties, "OrganizationId") }),
    });
    const id = `${arn}#${statementId}`;
    return { physicalId: id, attributes: { Id: id } };
  },

  update: (context) => Promise.resolve(context.state),

  async delete(context) {
    const [arn = "", StatementId] = context.state.physicalId.split("#");
    const layer = parseLayerVersionArn(arn);
    if (!layer) return;
    const input = { LayerName: arn.slice(0, arn.lastIndexOf(":")), VersionNumber: layer.version, StatementId };
    await unlessGone(context.client<Sdk>("lambda").RemoveLayerVersionPermission(input));
  },
};
