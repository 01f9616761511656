import type { ResourceType } from "../port.ts";

/**
 * A handle that nobody can signal or wait for: wait conditions are not built. Templates use it as the resource that does
 * nothing.
 */
export const waitConditionHandle: ResourceType = {
  type: "AWS::CloudFormation::WaitConditionHandle",
  properties: [],
  attributes: ["Id"],
  create: async ({ stackId, logicalId, region, clientToken }) => {
    const physicalId = `https://cloudformation-waitcondition-${region}.s3.${region}.amazonaws.com/${encodeURIComponent(stackId)}/${logicalId}-${clientToken}`;
    return { physicalId, attributes: { Id: physicalId } };
  },
  update: async ({ state }) => state,
  delete: async () => {},
};
