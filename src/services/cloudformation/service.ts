import type { Service } from "../../wire/service.ts";
import type { EngineNeeds } from "./engine/run.ts";
import { forgetJobKind, runJobKind, runStack, type StackJob } from "./engine/stack-run.ts";
import { forgetStack } from "./engine/forget.ts";
import { cloudformationConditionKeys } from "./condition-keys.ts";
import { changeSetOperations } from "./operations/change-sets.ts";
import { describeOperations } from "./operations/describe.ts";
import { exportOperations } from "./operations/exports.ts";
import { stackOperations } from "./operations/stacks.ts";
import { templateOperations } from "./operations/templates.ts";
import type { ResourceType } from "./port.ts";
import { waitConditionHandle } from "./resources/wait-condition-handle.ts";
import { createSamTransform } from "./template/sam.ts";

export type CloudFormationNeeds = Omit<EngineNeeds, "types"> & {
  /** The types that slices implement. */
  readonly resourceTypes: readonly ResourceType[];
  /** ARNs of AWS's managed policies by name, as SAM templates name them. */
  readonly managedPolicies: Readonly<Record<string, string>>;
};

/**
 * AWS CloudFormation. Stacks are made by durable jobs: `jobs` must be started for anything to happen.
 */
export function createCloudFormation(needs: CloudFormationNeeds): { readonly service: Service } {
  const types = new Map([...needs.resourceTypes, waitConditionHandle].map((each) => [each.type, each]));
  const engine: EngineNeeds = { ...needs, types };
  needs.jobs.handle(runJobKind, {
    concurrency: 32,
    // A stack that is under way must come to rest: its run is tried for as long as it takes.
    attemptsMax: 1000,
    run: (job) => runStack(engine, job, parseStackJob(job.payload)),
  });
  needs.jobs.handle(forgetJobKind, { concurrency: 1, run: (job) => forgetStack(engine, parseStackJob(job.payload)) });
  const operations = { ...engine, transformSam: createSamTransform(needs.managedPolicies) };
  return {
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
