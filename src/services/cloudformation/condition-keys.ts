import type * as sdk from "@aws-sdk/client-cloudformation";
import { requestKeys } from "../../access/further-keys.ts";
import type { ConditionKeysOf } from "../../wire/service.ts";

/** What policies may look at in requests, beside what `deploymentContext` tells. Source: Service Authorization Reference, CloudFormation. */
export const cloudformationConditionKeys: ConditionKeysOf<typeof sdk> = {
  CreateStack: (input) => toKeys({ StackPolicyUrl: input.StackPolicyURL, ResourceTypes: input.ResourceTypes }),
  UpdateStack: (input) => toKeys({ StackPolicyUrl: input.StackPolicyURL, ResourceTypes: input.ResourceTypes }),
  SetStackPolicy: (input) => toKeys({ StackPolicyUrl: input.StackPolicyURL }),
  CreateChangeSet: (input) =>
    toKeys({
      ResourceTypes: input.ResourceTypes,
      ImportResourceTypes: input.ResourcesToImport?.map(({ ResourceType = "" }) => ResourceType),
    }),
  ValidateTemplate: (input) => toKeys({ TemplateUrl: input.TemplateURL }),
  GetTemplateSummary: (input) => toKeys({ TemplateUrl: input.TemplateURL }),
  ContinueUpdateRollback: (input) => toKeys({ RoleArn: input.RoleARN }),
  RollbackStack: (input) => toKeys({ RoleArn: input.RoleARN }),
};

const toKeys = (given: Parameters<typeof requestKeys>[1]) => requestKeys("cloudformation:", given);
