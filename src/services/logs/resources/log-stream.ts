import type { ResourceType } from "../../cloudformation/port.ts";
import type { Sdk } from "../operations/needs.ts";
import { isAwsError, isGone, textOf } from "./log-group.ts";

export const logStreamType: ResourceType = {
  type: "AWS::Logs::LogStream",
  properties: ["LogGroupName", "LogStreamName"],
  attributes: [],

  async create(context) {
    const logGroupName = textOf(context.properties["LogGroupName"]) ?? "";
    const logStreamName = textOf(context.properties["LogStreamName"]) ?? context.generateName(512);
    try {
      await context.client<Sdk>("logs").CreateLogStream({ logGroupName, logStreamName });
    } catch (error) {
      if (!context.resumed || !isAwsError(error, "ResourceAlreadyExistsException")) throw error;
    }
    return { physicalId: logStreamName, attributes: {} };
  },

  update: (context) => Promise.resolve(context.state),

  async delete(context) {
    const logGroupName = textOf(context.properties["LogGroupName"]) ?? "";
    try {
      await context.client<Sdk>("logs").DeleteLogStream({ logGroupName, logStreamName: context.state.physicalId });
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  },
};
