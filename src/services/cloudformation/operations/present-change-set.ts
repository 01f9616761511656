import type { ChangeSet, ResourceChange, ResourceChangeDetail, Stack } from "../model.ts";

/** A change set as ListChangeSets and DescribeChangeSet tell it. */
export function summarizeChangeSet(stack: Stack, changeSet: ChangeSet) {
  return {
    ChangeSetName: changeSet.changeSetName,
    ChangeSetId: changeSet.changeSetId,
    StackId: stack.stackId,
    StackName: stack.stackName,
    ...(changeSet.description !== undefined && { Description: changeSet.description }),
    CreationTime: new Date(changeSet.createdAt),
    ExecutionStatus: changeSet.executionStatus,
    Status: changeSet.status,
    ...(changeSet.reason !== undefined && { StatusReason: changeSet.reason }),
    IncludeNestedStacks: false,
  };
}

export function describeChange(change: ResourceChange, withValues: boolean) {
  const { before, after } = change;
  return {
    Type: "Resource" as const,
    ResourceChange: {
      ...(change.policyAction && { PolicyAction: change.policyAction }),
      Action: change.action,
      LogicalResourceId: change.logicalId,
      ...(change.physicalId !== undefined && { PhysicalResourceId: change.physicalId }),
      ResourceType: change.type,
      ...(change.replacement && { Replacement: change.replacement }),
      Scope: [...change.scope],
      Details: change.details.map(describeDetail),
      ...(withValues && before && { BeforeContext: JSON.stringify(before) }),
      ...(withValues && after && { AfterContext: JSON.stringify(after) }),
    },
  };
}

function describeDetail(detail: ResourceChangeDetail) {
  return {
    Target: {
      Attribute: detail.attribute,
      ...(detail.name !== undefined && { Name: detail.name }),
      RequiresRecreation: detail.recreation,
    },
    Evaluation: detail.evaluation,
    ...(detail.source && { ChangeSource: detail.source }),
    ...(detail.cause !== undefined && { CausingEntity: detail.cause }),
  };
}
