import type * as sdk from "@aws-sdk/client-cloudformation";
import type { OperationsOf } from "../../../wire/service.ts";
import {
  resourceNotFound,
  stackNameNotFound,
  stackNotFound,
  stackResourcesNotFound,
  validationError,
} from "../errors.ts";
import { cloudFormationLimits as limits } from "../limits.ts";
import {
  findStack,
  keys,
  readAll,
  type Deployment,
  type Stack,
  type StackEvent,
  type StackResource,
} from "../model.ts";
import { onAnything, onStack } from "./access.ts";
import type { OperationNeeds } from "./needs.ts";
import { fromToken, pageOf, toToken } from "./pages.ts";

type Sdk = typeof sdk;

export function describeOperations(needs: OperationNeeds) {
  const { store } = needs;
  return {
    DescribeStacks: {
      authorize: (input, call) => onStack(needs, call, input.StackName),
      async run(input, call) {
        return store.read(async (reader) => {
          const describe = async (stack: Stack) =>
            describeStack(
              stack,
              stack.deployment === undefined
                ? undefined
                : await reader.get<Deployment>(keys.deployment(stack, stack.stackId, stack.deployment)),
            );
          if (input.StackName !== undefined) {
            const stack = await findStack(reader, call, input.StackName);
            if (!stack) throw stackNotFound(input.StackName);
            return { Stacks: [await describe(stack)] };
          }
          const stacks = await readAll<Stack>(reader, keys.stacks(call));
          const live = stacks
            .filter(({ status }) => status !== "DELETE_COMPLETE")
            .toSorted((a, b) => b.createdAt - a.createdAt);
          const page = pageOf(live, input.NextToken, limits.pageEntriesMax);
          return { Stacks: await Promise.all(page.items.map(describe)), ...nextToken(page.next) };
        });
      },
    },
    ListStacks: {
      authorize: (_input, call) => onAnything(call),
      async run(input, call) {
        const stacks = await store.read((reader) => readAll<Stack>(reader, keys.stacks(call)));
        const wanted = input.StackStatusFilter ?? [];
        const matching = stacks
          .filter(({ status }) => wanted.length === 0 || wanted.some((each) => each === status))
          .toSorted((a, b) => b.createdAt - a.createdAt);
        const page = pageOf(matching, input.NextToken, limits.pageEntriesMax);
        return { StackSummaries: page.items.map(summarize), ...nextToken(page.next) };
      },
    },
    DescribeStackEvents: {
      authorize: (input, call) => onStack(needs, call, input.StackName),
      async run(input, call) {
        const nameOrId = input.StackName ?? "";
        return store.read(async (reader) => {
          const stack = await findStack(reader, call, nameOrId);
          if (!stack) throw stackNameNotFound(nameOrId);
          const prefix = keys.events(stack, stack.stackId);
          const before = fromToken(input.NextToken);
          const entries = await reader.range<StackEvent>(
            typeof before === "number" ? { prefix, after: keys.event(stack, stack.stackId, before) } : { prefix },
            { limit: limits.pageEntriesMax, reverse: true },
          );
          const last = entries.at(-1)?.key.at(-1);
          return {
            StackEvents: entries.map(({ value }) => describeEvent(stack, value)),
            ...(entries.length === limits.pageEntriesMax && typeof last === "number" && last > 0
              ? { NextToken: toToken(last) }
              : {}),
          };
        });
      },
    },
    DescribeStackResource: {
      authorize: (input, call) => onStack(needs, call, input.StackName),
      async run(input, call) {
        const nameOrId = input.StackName ?? "";
        const { stack, resources } = await readResources(needs, call, nameOrId, stackResourcesNotFound);
        const resource = resources.find(({ logicalId }) => logicalId === input.LogicalResourceId);
        if (!resource) throw resourceNotFound(input.LogicalResourceId ?? "", nameOrId);
        return {
          StackResourceDetail: {
            StackName: stack.stackName,
            StackId: stack.stackId,
            ...resourceSummary(resource),
            ...(resource.metadata && { Metadata: JSON.stringify(resource.metadata) }),
          },
        };
      },
    },
    DescribeStackResources: {
      authorize: (input, call) => onStack(needs, call, input.StackName),
      async run(input, call) {
        const { StackName: nameOrId, PhysicalResourceId: physicalId, LogicalResourceId: logicalId } = input;
        if ((nameOrId === undefined) === (physicalId === undefined)) {
          throw validationError("Either stackName or physicalResourceId, but not both, must be specified.");
        }
        const found =
          nameOrId === undefined
            ? await findByPhysicalId(needs, call, physicalId ?? "")
            : await readResources(needs, call, nameOrId, stackNotFound);
        return {
          StackResources: found.resources
            .filter((each) => logicalId === undefined || each.logicalId === logicalId)
            .map((resource) => describeResource(found.stack, resource)),
        };
      },
    },
    ListStackResources: {
      authorize: (input, call) => onStack(needs, call, input.StackName),
      async run(input, call) {
        const { resources } = await readResources(needs, call, input.StackName ?? "", stackNotFound);
        const page = pageOf(resources, input.NextToken, limits.pageEntriesMax);
        return { StackResourceSummaries: page.items.map(resourceSummary), ...nextToken(page.next) };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

const nextToken = (token: string | undefined) => (token === undefined ? {} : { NextToken: token });

type Where = { readonly account: string; readonly region: string };

async function readResources(
  needs: OperationNeeds,
  at: Where,
  nameOrId: string,
  notFound: (nameOrId: string) => Error,
): Promise<{ stack: Stack; resources: readonly StackResource[] }> {
  return needs.store.read(async (reader) => {
    const stack = await findStack(reader, at, nameOrId);
    if (!stack) throw notFound(nameOrId);
    return { stack, resources: await readAll<StackResource>(reader, keys.resources(at, stack.stackId)) };
  });
}

async function findByPhysicalId(needs: OperationNeeds, at: Where, physicalId: string) {
  return needs.store.read(async (reader) => {
    for (const stack of await readAll<Stack>(reader, keys.stacks(at))) {
      if (stack.status === "DELETE_COMPLETE") continue;
      const resources = await readAll<StackResource>(reader, keys.resources(at, stack.stackId));
      if (resources.some((each) => each.physicalId === physicalId)) return { stack, resources };
    }
    throw validationError(`Stack for ${physicalId} does not exist`);
  });
}

function describeResource(stack: Stack, resource: StackResource) {
  const { LastUpdatedTimestamp: Timestamp, ...summary } = resourceSummary(resource);
  return { StackName: stack.stackName, StackId: stack.stackId, ...summary, Timestamp };
}

function resourceSummary(resource: StackResource) {
  const physicalId = resource.physicalId ?? resource.before?.physicalId;
  return {
    LogicalResourceId: resource.logicalId,
    ...(physicalId !== undefined && { PhysicalResourceId: physicalId }),
    ResourceType: resource.type,
    LastUpdatedTimestamp: new Date(resource.updatedAt),
    ResourceStatus: resource.status,
    ...(resource.reason !== undefined && { ResourceStatusReason: resource.reason }),
    DriftInformation: { StackResourceDriftStatus: "NOT_CHECKED" as const },
  };
}

function describeEvent(stack: Stack, event: StackEvent) {
  return {
    StackId: stack.stackId,
    EventId: event.eventId,
    StackName: stack.stackName,
    LogicalResourceId: event.logicalId,
    PhysicalResourceId: event.physicalId ?? "",
    ResourceType: event.type,
    Timestamp: new Date(event.at),
    // The model's type has every status an event can have.
    ResourceStatus: eventStatus(event.status),
    ...(event.reason !== undefined && { ResourceStatusReason: event.reason }),
    ...(event.properties !== undefined && { ResourceProperties: JSON.stringify(event.properties) }),
    ...(event.clientRequestToken !== undefined && { ClientRequestToken: event.clientRequestToken }),
  };
}

type EventStatus = sdk.ResourceStatus;

function eventStatus(status: string): EventStatus {
  // A stack's event says REVIEW_IN_PROGRESS too, which the model's type of resource statuses forgets.
  return status as EventStatus;
}

function summarize(stack: Stack) {
  return {
    StackId: stack.stackId,
    StackName: stack.stackName,
    CreationTime: new Date(stack.createdAt),
    ...(stack.updatedAt !== undefined && { LastUpdatedTime: new Date(stack.updatedAt) }),
    ...(stack.deletedAt !== undefined && { DeletionTime: new Date(stack.deletedAt) }),
    StackStatus: stack.status,
    ...(stack.reason !== undefined && { StackStatusReason: stack.reason }),
    DriftInformation: { StackDriftStatus: "NOT_CHECKED" as const },
  };
}

type Capability = sdk.Capability;

function describeStack(stack: Stack, deployment: Deployment | undefined) {
  return {
    ...summarize(stack),
    ...(stack.changeSetId !== undefined && { ChangeSetId: stack.changeSetId }),
    ...(deployment?.description !== undefined && { Description: deployment.description }),
    ...(deployment &&
      deployment.parameters.length > 0 && {
        Parameters: deployment.parameters.map(({ name, value, noEcho }) => ({
          ParameterKey: name,
          ParameterValue: noEcho ? "****" : value,
        })),
      }),
    RollbackConfiguration: {},
    DisableRollback: stack.onFailure === "DO_NOTHING",
    NotificationARNs: [],
    ...(stack.timeoutMinutes !== undefined && { TimeoutInMinutes: stack.timeoutMinutes }),
    ...(deployment && deployment.capabilities.length > 0 && { Capabilities: deployment.capabilities as Capability[] }),
    ...(stack.outputs.length > 0 && {
      Outputs: stack.outputs.map(({ key, value, description, exportName }) => ({
        OutputKey: key,
        OutputValue: value,
        ...(description !== undefined && { Description: description }),
        ...(exportName !== undefined && { ExportName: exportName }),
      })),
    }),
    ...(stack.roleArn !== undefined && { RoleARN: stack.roleArn }),
    Tags: Object.entries(deployment?.tags ?? {}).map(([Key, Value]) => ({ Key, Value })),
    EnableTerminationProtection: stack.terminationProtection,
  };
}
