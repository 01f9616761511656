import type { Seal } from "../../access/server-keys.ts";
import type { Service } from "../../wire/service.ts";
import type { EngineNeeds } from "./engine/run.ts";
import { forgetJobKind, runJobKind, runStack, type StackJob } from "./engine/stack-run.ts";
import { createCustomResource } from "./custom-resources/custom-resource.ts";
import { createProviderAnswers, type ProviderAnswers } from "./custom-resources/provider-answers.ts";
import { handleForgottenRequests } from "./custom-resources/provider-requests.ts";
import { forgetStack } from "./engine/forget.ts";
import { cloudformationConditionKeys } from "./condition-keys.ts";
import { cloudFormationLimits as limits } from "./limits.ts";
import { changeSetOperations } from "./operations/change-sets.ts";
import { describeOperations } from "./operations/describe.ts";
import { exportOperations } from "./operations/exports.ts";
import { stackOperations } from "./operations/stacks.ts";
import { templateOperations } from "./operations/templates.ts";
import type { ResourceType } from "./port.ts";
import { createResourceTypes } from "./resource-types.ts";
import { waitConditionHandle } from "./resources/wait-condition-handle.ts";
import { createSamTransform } from "./template/sam.ts";

export type CloudFormationNeeds = Omit<EngineNeeds, "types"> & {
  readonly seal: Seal;
  /** The platform's address as functions reach it: where custom resources are answered for. */
  readonly functionEndpoint: () => string;
  /** The types that slices implement. */
  readonly resourceTypes: readonly ResourceType[];
  /** ARNs of AWS's managed policies by name, as SAM templates name them. */
  readonly managedPolicies: Readonly<Record<string, string>>;
};

/**
 * AWS CloudFormation. Stacks are made by durable jobs: `jobs` must be started for anything to happen.
 */
export function createCloudFormation(needs: CloudFormationNeeds): {
  readonly service: Service;
  /** Those that are its own. */
  readonly resourceTypes: readonly ResourceType[];
  readonly providerAnswers: ProviderAnswers;
} {
  const resourceTypes = [waitConditionHandle, createCustomResource(needs)];
  const types = createResourceTypes([...needs.resourceTypes, ...resourceTypes]);
  const engine: EngineNeeds = { ...needs, types };
  needs.jobs.handle(runJobKind, {
    concurrency: limits.stacksAtOnceMax,
    // A stack that is under way must come to rest: its run is tried for as long as it takes.
    attemptsMax: 1000,
    run: (job) => runStack(engine, job, parseStackJob(job.payload)),
  });
  needs.jobs.handle(forgetJobKind, { concurrency: 1, run: (job) => forgetStack(engine, parseStackJob(job.payload)) });
  const operations = { ...engine, transformSam: createSamTransform(needs.managedPolicies) };
  handleForgottenRequests(needs);
  return {
    resourceTypes,
    providerAnswers: createProviderAnswers(needs),
    service: {
      name: "cloudformation",
      operations: {
        ...stackOperations(operations),
        ...describeOperations(operations),
        ...templateOperations(operations),
        ...changeSetOperations(operations),
        ...exportOperations(operations),
      },
      conditionKeys: cloudformationConditionKeys,
    },
  };
}

function parseStackJob(payload: unknown): StackJob {
  // Written by `startOperation` and nothing else.
  return payload as StackJob;
}
