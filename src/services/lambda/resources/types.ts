import type { ResourceType } from "../../cloudformation/port.ts";

export const lambdaResourceTypes: readonly ResourceType[] = [];
