import type * as sdk from "@aws-sdk/client-cloudformation";
import type { OperationsOf } from "../../../wire/service.ts";
import { changeSetNotFound, memberNotImplemented, stackNameNotFound, validationError } from "../errors.ts";
import { findStack, readTemplateTexts } from "../model.ts";
import { readParameters, readTemplate, readTransforms, type ParameterDeclaration } from "../template/document.ts";
import { checkParameterTypes } from "../template/parameters.ts";
import { isObject, parseTemplate, type JsonObject } from "../template/parse.ts";
import { checkReferences } from "../template/references.ts";
import { checkResources } from "../spec/check-properties.ts";
import { onAnything, onStack } from "./access.ts";
import { findChangeSet } from "./change-set-records.ts";
import type { OperationNeeds } from "./needs.ts";
import { asAnswer } from "./prepare.ts";
import { readTemplateText, type TemplateSource } from "./template-source.ts";

type Sdk = typeof sdk;
type Capability = sdk.Capability;

export function templateOperations(needs: OperationNeeds) {
  const { store, directory } = needs;
  return {
    GetTemplate: {
      authorize: (input, call) => onStack(needs, call, input.StackName),
      async run(input, call) {
        const nameOrId = input.StackName ?? "";
        return store.read(async (reader) => {
          const stack = await findStack(reader, call, nameOrId);
          let deployment = stack?.deployment;
          if (input.ChangeSetName !== undefined) {
            const found = await findChangeSet(reader, call, input.ChangeSetName, input.StackName);
            if (!found) throw changeSetNotFound(input.ChangeSetName);
            deployment = found.changeSet.deployment;
            const texts = await readTemplateTexts(reader, call, found.stack.stackId, deployment);
            return answer(texts, input.TemplateStage);
          }
          if (!stack) throw stackNameNotFound(nameOrId);
          if (deployment === undefined) {
            throw validationError(`Stack ${stack.stackName} has no template: it is in ${stack.status} state`);
          }
          return answer(await readTemplateTexts(reader, call, stack.stackId, deployment), input.TemplateStage);
        });
      },
    },
    GetTemplateSummary: {
      authorize: (input, call) => onStack(needs, call, input.StackName),
      async run(input, call) {
        if (input.StackSetName !== undefined) throw memberNotImplemented(call.operation, "StackSetName");
        if (input.CallAs !== undefined) throw memberNotImplemented(call.operation, "CallAs");
        let text: string;
        if (input.StackName === undefined) text = await readTemplateText(input, call, directory);
        else {
          const nameOrId = input.StackName;
          text = await store.read(async (reader) => {
            const stack = await findStack(reader, call, nameOrId);
            if (!stack || stack.status === "DELETE_COMPLETE") throw stackNameNotFound(nameOrId);
            if (stack.deployment === undefined) throw validationError("Stack has no template yet");
            return (await readTemplateTexts(reader, call, stack.stackId, stack.deployment)).original;
          });
        }
        return asAnswer(() => summarizeTemplate(parseTemplate(text)));
      },
    },
    ValidateTemplate: {
      authorize: (_input, call) => onAnything(call),
      async run(input: TemplateSource, call) {
        const text = await readTemplateText(input, call, directory);
        return asAnswer(() => {
          const source = parseTemplate(text);
          const transforms = readTransforms(source);
          if (transforms.length === 0) {
            const template = readTemplate(source);
            checkReferences(template);
            checkResources(template.resources.values(), needs.types, () => false);
          }
          const { Parameters, Description, Capabilities, CapabilitiesReason, DeclaredTransforms } =
            summarizeTemplate(source);
          return {
            Parameters: Parameters.map(toTemplateParameter),
            ...(Description !== undefined && { Description }),
            ...(Capabilities && { Capabilities, CapabilitiesReason }),
            ...(DeclaredTransforms && { DeclaredTransforms }),
          };
        });
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function toTemplateParameter(parameter: ReturnType<typeof describeParameter>) {
  const { ParameterType: _type, ParameterConstraints: _constraints, ...rest } = parameter;
  return rest;
}

function answer(texts: { readonly original: string; readonly processed?: string }, stage: string | undefined) {
  return {
    TemplateBody: stage === "Processed" ? (texts.processed ?? texts.original) : texts.original,
    StagesAvailable: ["Original" as const, "Processed" as const],
  };
}

function summarizeTemplate(source: JsonObject) {
  const declarations = readParameters(source);
  checkParameterTypes(declarations.values());
  const transforms = readTransforms(source);
  const resources = isObject(source["Resources"]) ? source["Resources"] : {};
  const types = new Map<string, string[]>();
  for (const [logicalId, resource] of Object.entries(resources)) {
    const type = isObject(resource) ? resource["Type"] : undefined;
    if (typeof type === "string") types.set(type, [...(types.get(type) ?? []), logicalId]);
  }
  const iam = [...types.keys()].filter((type) => type.startsWith("AWS::IAM::"));
  const named = Object.values(resources).some(isNamedIamResource);
  const capabilities: Capability[] = iam.length === 0 ? [] : [named ? "CAPABILITY_NAMED_IAM" : "CAPABILITY_IAM"];
  if (transforms.length > 0) capabilities.push("CAPABILITY_AUTO_EXPAND");
  const description = source["Description"];
  return {
    Parameters: [...declarations.values()].map(describeParameter),
    ...(typeof description === "string" && { Description: description }),
    ...(capabilities.length > 0 && {
      Capabilities: capabilities,
      CapabilitiesReason:
        iam.length > 0
          ? `The following resource(s) require capabilities: [${iam.join(", ")}]`
          : `The following transform(s) require capabilities: [${transforms.join(", ")}]`,
    }),
    ResourceTypes: [...types.keys()],
    ...(typeof source["AWSTemplateFormatVersion"] === "string" && { Version: source["AWSTemplateFormatVersion"] }),
    ...(isObject(source["Metadata"]) && { Metadata: JSON.stringify(source["Metadata"]) }),
    ...(transforms.length > 0 && { DeclaredTransforms: [...transforms] }),
    ResourceIdentifierSummaries: [],
  };
}

function isNamedIamResource(resource: unknown): boolean {
  const properties =
    typeof resource === "object" &&
    resource !== null &&
    "Type" in resource &&
    String(resource.Type).startsWith("AWS::IAM::")
      ? "Properties" in resource && resource.Properties
      : undefined;
  const names = ["GroupName", "ManagedPolicyName", "RoleName", "UserName"];
  return typeof properties === "object" && properties !== null && names.some((name) => name in properties);
}

function describeParameter(declaration: ParameterDeclaration) {
  const { name, type, defaultValue, noEcho, description, allowedValues } = declaration;
  return {
    ParameterKey: name,
    ...(defaultValue !== undefined && { DefaultValue: defaultValue }),
    ParameterType: type,
    NoEcho: noEcho,
    ...(description !== undefined && { Description: description }),
    ParameterConstraints: allowedValues ? { AllowedValues: [...allowedValues] } : {},
  };
}
