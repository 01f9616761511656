import type { Properties } from "../../cloudformation/port.ts";
import { accessLogPatchesOf, accessLogProperties } from "./access-log.ts";
import { certificatePatches } from "./certificate-patches.ts";
import {
  cacheAndCanaryPatches,
  cacheInput,
  methodSettingsPatches,
  type StagePatch,
  stageSettingProperties,
} from "./stage-settings.ts";
import { flagOf, textOf, textsOf } from "./properties.ts";

/** Settings of all methods, which a stage description has without naming methods. */
const generalSettings = [
  "CacheDataEncrypted",
  "CacheTtlInSeconds",
  "CachingEnabled",
  "DataTraceEnabled",
  "LoggingLevel",
  "MetricsEnabled",
  "ThrottlingBurstLimit",
  "ThrottlingRateLimit",
];

/** What a deployment's template says of the stage that comes with it. */
export const stageDescriptionProperties = [
  ...accessLogProperties,
  ...generalSettings,
  // Here the canary is of the stage's own deployment.
  ...stageSettingProperties.filter((property) => property !== "CanarySetting.DeploymentId"),
  "ClientCertificateId",
  "Description",
  "DocumentationVersion",
  "Tags[].Key",
  "Tags[].Value",
  "TracingEnabled",
  "Variables.*",
].map((property) => `StageDescription.${property}`);

/** For CreateDeployment, which takes a part of it. */
export function stageDescriptionInput(description: Properties) {
  return {
    stageDescription: textOf(description, "Description"),
    variables: textsOf(description, "Variables"),
    tracingEnabled: flagOf(description, "TracingEnabled"),
    ...cacheInput(description),
  };
}

/** How the stage comes to all of it. */
export function stageDescriptionPatches(description: Properties, previous: Properties): StagePatch[] {
  const patches: StagePatch[] = [];
  const replace = (path: string, name: string) => {
    const value = textOf(description, name);
    if (value !== textOf(previous, name)) patches.push({ op: "replace", path, value: value ?? "" });
  };
  replace("/description", "Description");
  replace("/documentationVersion", "DocumentationVersion");
  if (flagOf(description, "TracingEnabled") === true) {
    patches.push({ op: "replace", path: "/tracingEnabled", value: "true" });
  }
  const variables = textsOf(description, "Variables");
  for (const [name, value] of Object.entries(variables)) {
    patches.push({ op: "replace", path: `/variables/${name}`, value });
  }
  for (const name of Object.keys(textsOf(previous, "Variables"))) {
    if (!(name in variables)) patches.push({ op: "remove", path: `/variables/${name}` });
  }
  return [
    ...patches,
    ...certificatePatches(description, previous),
    ...cacheAndCanaryPatches(description, previous),
    ...methodSettingsPatches(withGeneral(description), withGeneral(previous)),
    ...accessLogPatchesOf(description, previous),
  ];
}

/** The settings of all methods as one more of the methods': what is said of a method goes before it. */
function withGeneral(description: Properties): Properties {
  const general = generalSettings.flatMap((name) =>
    description[name] === undefined ? [] : [[name, description[name]] as const],
  );
  const listed = Array.isArray(description["MethodSettings"]) ? description["MethodSettings"] : [];
  return general.length === 0
    ? { MethodSettings: listed }
    : { MethodSettings: [{ HttpMethod: "*", ResourcePath: "/*", ...Object.fromEntries(general) }, ...listed] };
}
