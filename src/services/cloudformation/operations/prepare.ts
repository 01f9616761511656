import type { Reader } from "../../../kernel/store/store.ts";
import type { Call } from "../../../wire/service.ts";
import { createBlueprint, type Blueprint } from "../engine/blueprint.ts";
import { readExports } from "../engine/exports.ts";
import { insufficientCapabilities, validationError } from "../errors.ts";
import { cloudFormationLimits as limits } from "../limits.ts";
import type { Deployment, DeploymentParameter, TemplateTexts } from "../model.ts";
import { checkAttributes } from "../spec/check-attributes.ts";
import { checkResources } from "../spec/check-properties.ts";
import {
  readParameters,
  readTemplate,
  readTransforms,
  type ResourceDeclaration,
  type Template,
} from "../template/document.ts";
import { resolveParameters } from "../template/parameters.ts";
import { parseTemplate } from "../template/parse.ts";
import { checkReferences } from "../template/references.ts";
import { TemplateError } from "../template/template-error.ts";
import { applyTransforms, samTransform } from "../template/transforms.ts";
import type { OperationNeeds } from "./needs.ts";

/** The members that CreateStack, UpdateStack and CreateChangeSet share. */
export interface DeploymentInput {
  readonly Parameters?:
    | readonly {
        readonly ParameterKey?: string | undefined;
        readonly ParameterValue?: string | undefined;
        readonly UsePreviousValue?: boolean | undefined;
        readonly ResolvedValue?: string | undefined;
      }[]
    | undefined;
  readonly Capabilities?: readonly string[] | undefined;
  readonly Tags?: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined;
}

export interface PreviousDeployment {
  readonly deployment: Deployment;
  readonly texts: TemplateTexts;
}

/** A deployment that has passed every check that can be made before anything is done. */
export interface Prepared {
  readonly deployment: Deployment;
  readonly texts: TemplateTexts;
  readonly template: Template;
  readonly blueprint: Blueprint;
  /** Missing ones; empty when all that is needed was acknowledged. */
  readonly missingCapabilities: readonly string[];
  readonly transformed: boolean;
}

/**
 * Read, transform and check a template with its parameters.
 *
 * @throws {AwsError} ValidationError, in CloudFormation's words
 * @throws {TransformError} when a transform refuses the template
 */
export async function prepareDeployment(
  needs: OperationNeeds,
  call: Call,
  subject: { readonly stackId: string; readonly stackName: string },
  text: string,
  input: DeploymentInput,
  previous: PreviousDeployment | undefined,
): Promise<Prepared> {
  const source = asAnswer(() => parseTemplate(text));
  const transforms = asAnswer(() => readTransforms(source));
  await authorizeTransforms(call, transforms);
  const exports = await needs.store.read((reader: Reader) => readExports(reader, call));
  return asAnswer(() => {
    const declarations = readParameters(source);
    const values = resolveParameters(declarations, givenParameters(input), previousValues(previous));
    const processed = applyTransforms(source, declarations, {
      values,
      region: call.region,
      now: call.now,
      sam: needs.transformSam,
    });
    const template = readTemplate(processed ?? source);
    checkReferences(template);
    const { account, region } = call;
    const blueprint = createBlueprint(template, { account, region, ...subject, parameters: values, exports });
    checkResources(template.resources.values(), needs.types, ({ logicalId }) => blueprint.resources.has(logicalId));
    checkAttributes(template, needs.types);
    const processedText = processed && JSON.stringify(processed);
    if (processedText !== undefined && Buffer.byteLength(processedText) > limits.templateUrlBytesMax) {
      throw new TemplateError(`Template may not exceed ${limits.templateUrlBytesMax} bytes in size.`);
    }
    return {
      deployment: {
        version: 1,
        parameters: [...template.parameters.values()].map(({ name, type, noEcho }): DeploymentParameter => ({
          name,
          value: values.get(name) ?? "",
          type,
          noEcho,
        })),
        tags: readTags(input, previous),
        capabilities: input.Capabilities ?? [],
        ...(template.description !== undefined && { description: template.description }),
      },
      texts: { original: text, ...(processedText !== undefined && { processed: processedText }) },
      template,
      blueprint,
      missingCapabilities: missingCapabilities(blueprint.resources.values(), input.Capabilities ?? []),
      transformed: processed !== undefined,
    };
  });
}

/** What a template is refused for is answered as ValidationError. */
export function asAnswer<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof TemplateError) throw validationError(error.message);
    throw error;
  }
}

/** AWS: running a transform is an action on the transform, beside that on the stack. */
async function authorizeTransforms(call: Call, transforms: readonly string[]): Promise<void> {
  for (const name of transforms) {
    if (!name.startsWith("AWS::")) continue;
    const resource = `arn:aws:cloudformation:${call.region}:aws:transform/${name === samTransform ? "Serverless-2016-10-31" : name.slice(5)}`;
    await call.authorize({ action: `cloudformation:${call.operation}`, resource });
  }
}

function givenParameters(input: DeploymentInput): Map<string, string | undefined> {
  const given = new Map<string, string | undefined>();
  for (const { ParameterKey: key, ParameterValue: value, UsePreviousValue: previous } of input.Parameters ?? []) {
    if (key === undefined) throw validationError("ParameterKey must be specified.");
    if (given.has(key)) throw validationError(`Duplicate parameter key: ${key}`);
    if (value !== undefined && previous === true) {
      throw validationError(
        `Invalid input for parameter key ${key}. Cannot specify usePreviousValue as true and non empty value for a parameter`,
      );
    }
    if (value === undefined && previous !== true) {
      throw validationError(
        `Invalid input for parameter key ${key}. Need to specify a parameter value or usePreviousValue as true`,
      );
    }
    given.set(key, value);
  }
  return given;
}

function previousValues(previous: PreviousDeployment | undefined): ReadonlyMap<string, string> {
  return new Map(previous?.deployment.parameters.map(({ name, value }) => [name, value]));
}

/** The stack's tags: those given, or when none are, those it has. */
function readTags(input: DeploymentInput, previous: PreviousDeployment | undefined): Readonly<Record<string, string>> {
  if (input.Tags === undefined) return previous?.deployment.tags ?? {};
  if (input.Tags.length > limits.tagsMax)
    throw validationError(`Number of tags exceeds the maximum of ${limits.tagsMax}`);
  const tags = new Map<string, string>();
  for (const { Key: key, Value: value } of input.Tags) {
    if (key === undefined || value === undefined) throw validationError("Tag keys and values must be specified.");
    if (/^aws:/i.test(key)) throw validationError(`Tag key ${key} must not begin with aws:`);
    if (tags.has(key))
      throw validationError("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
    tags.set(key, value);
  }
  return Object.fromEntries(tags);
}

const iamTypes =
  /^AWS::IAM::(?:AccessKey|Group|InstanceProfile|ManagedPolicy|Policy|Role|User|UserToGroupAddition|UserPolicy|RolePolicy|GroupPolicy)$/;
const nameProperties = ["GroupName", "InstanceProfileName", "ManagedPolicyName", "RoleName", "UserName"];
const namedTypes = /^AWS::IAM::(?:Group|InstanceProfile|ManagedPolicy|Role|User)$/;

/** AWS: creating IAM resources must be acknowledged, and by another word when they have names of the author's choice. */
function missingCapabilities(resources: Iterable<ResourceDeclaration>, given: readonly string[]): string[] {
  let needed: "CAPABILITY_IAM" | "CAPABILITY_NAMED_IAM" | undefined;
  for (const { type, properties } of resources) {
    if (!iamTypes.test(type)) continue;
    const named = namedTypes.test(type) && nameProperties.some((name) => Object.hasOwn(properties, name));
    if (named) needed = "CAPABILITY_NAMED_IAM";
    else needed ??= "CAPABILITY_IAM";
  }
  if (needed === undefined || given.includes(needed) || given.includes("CAPABILITY_NAMED_IAM")) return [];
  return [needed];
}

/** @throws {AwsError} InsufficientCapabilitiesException */
export function requireCapabilities(prepared: Prepared, given: readonly string[], expands: boolean): void {
  const missing = [...prepared.missingCapabilities];
  if (expands && prepared.transformed && !given.includes("CAPABILITY_AUTO_EXPAND"))
    missing.push("CAPABILITY_AUTO_EXPAND");
  if (missing.length > 0) throw insufficientCapabilities(missing);
}
