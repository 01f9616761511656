import type { ImageConfig } from "@aws-sdk/client-lambda";
import type { ImageSpec } from "../../compute/compute.ts";
import { invalidParameter } from "./errors.ts";
import type { FunctionSettings, FunctionVersion, ImageOverrides } from "./model.ts";

interface ZipMembers {
  readonly Handler?: string | undefined;
  readonly Runtime?: string | undefined;
  readonly Layers?: readonly string[] | undefined;
  readonly ImageConfig?: ImageConfig | undefined;
}

/** Throws for members that the other kind of function has. */
export function checkPackageMembers(input: ZipMembers, isImage: boolean): void {
  if (isImage && (input.Handler ?? input.Runtime ?? (input.Layers?.length ? input.Layers : undefined)) !== undefined) {
    throw invalidParameter(
      "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.",
    );
  }
  if (!isImage && input.ImageConfig !== undefined && isGiven(input.ImageConfig)) {
    throw invalidParameter("Please don't provide ImageConfig when the intended function PackageType is Zip.");
  }
}

interface CodeMembers {
  readonly ImageUri?: string | undefined;
  readonly ZipFile?: unknown;
  readonly S3Bucket?: string | undefined;
}

/** Throws where a request's code is of the other kind than its function. */
export function checkCodeSource(source: CodeMembers, isImage: boolean, operation: string): void {
  const verb = operation === "CreateFunction" ? "creating" : "updating";
  if (isImage && (source.ImageUri === undefined || source.ZipFile !== undefined || source.S3Bucket !== undefined)) {
    throw invalidParameter(`Please provide ImageUri when ${verb} a function with packageType Image.`);
  }
  if (!isImage && source.ImageUri !== undefined) {
    throw invalidParameter(`Please don't provide ImageUri when ${verb} a function with packageType Zip.`);
  }
}

/** Settings with what a request's ImageConfig says; an empty list takes the image's own again. */
export function changeImageConfig(settings: FunctionSettings, given: ImageConfig | undefined): FunctionSettings {
  if (given === undefined) return settings;
  const { imageConfig: had, ...rest } = settings;
  const entryPoint = given.EntryPoint ?? had?.entryPoint ?? [];
  const command = given.Command ?? had?.command ?? [];
  const workingDirectory = given.WorkingDirectory ?? had?.workingDirectory ?? "";
  if (workingDirectory !== "" && !workingDirectory.startsWith("/")) {
    throw invalidParameter("WorkingDirectory must be an absolute path.");
  }
  const overrides: ImageOverrides = {
    ...(entryPoint.length > 0 && { entryPoint }),
    ...(command.length > 0 && { command }),
    ...(workingDirectory !== "" && { workingDirectory }),
  };
  return Object.keys(overrides).length === 0 ? rest : { ...rest, imageConfig: overrides };
}

function isGiven(config: ImageConfig): boolean {
  return Boolean(config.EntryPoint?.length) || Boolean(config.Command?.length) || Boolean(config.WorkingDirectory);
}

/** What of a version's description is about its package. */
export function describeImage({ settings: { imageConfig } }: FunctionVersion) {
  return {
    PackageType: "Image" as const,
    ...(imageConfig && {
      ImageConfigResponse: {
        ImageConfig: {
          ...(imageConfig.entryPoint && { EntryPoint: [...imageConfig.entryPoint] }),
          ...(imageConfig.command && { Command: [...imageConfig.command] }),
          ...(imageConfig.workingDirectory !== undefined && { WorkingDirectory: imageConfig.workingDirectory }),
        },
      },
    }),
  };
}

/** What runs: the image's own settings under the function's. */
export function toImageSpec({ settings: { imageConfig }, code: { image } }: FunctionVersion): ImageSpec | undefined {
  if (!image) return undefined;
  return {
    entryPoint: imageConfig?.entryPoint ?? image.entryPoint,
    command: imageConfig?.command ?? image.command,
    workingDirectory: imageConfig?.workingDirectory ?? image.workingDirectory,
    environment: image.environment,
  };
}
