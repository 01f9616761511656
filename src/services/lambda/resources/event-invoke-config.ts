import type { Properties, ResourceType } from "../../cloudformation/port.ts";
import type { Sdk } from "../needs.ts";
import { defined, numberOf, objectOf, textOf, unlessGone } from "./properties.ts";

export const eventInvokeConfigType: ResourceType = {
  type: "AWS::Lambda::EventInvokeConfig",
  properties: [
    "DestinationConfig.OnFailure.Destination",
    "DestinationConfig.OnSuccess.Destination",
    "FunctionName",
    "MaximumEventAgeInSeconds",
    "MaximumRetryAttempts",
    "Qualifier",
  ],
  attributes: [],

  async create(context) {
    await context.client<Sdk>("lambda").PutFunctionEventInvokeConfig(inputOf(context.properties));
    return { physicalId: context.generateName(64), attributes: {} };
  },

  async update(context) {
    await context.client<Sdk>("lambda").PutFunctionEventInvokeConfig(inputOf(context.properties));
    return context.state;
  },

  async delete(context) {
    const { FunctionName, Qualifier } = inputOf(context.properties);
    await unlessGone(context.client<Sdk>("lambda").DeleteFunctionEventInvokeConfig({ FunctionName, Qualifier }));
  },
};

function inputOf(properties: Properties) {
  return {
    FunctionName: textOf(properties, "FunctionName"),
    Qualifier: textOf(properties, "Qualifier"),
    ...defined({
      DestinationConfig: destinationsOf(objectOf(properties, "DestinationConfig")),
      MaximumRetryAttempts: numberOf(properties, "MaximumRetryAttempts"),
      MaximumEventAgeInSeconds: numberOf(properties, "MaximumEventAgeInSeconds"),
    }),
  };
}

/** An update that leaves destinations out removes them, as it does everything else. */
function destinationsOf(config: Properties | undefined) {
  if (config === undefined) return undefined;
  const one = (name: string) => {
    const Destination = textOf(objectOf(config, name) ?? {}, "Destination");
    return Destination === undefined ? {} : { Destination };
  };
  return { OnSuccess: one("OnSuccess"), OnFailure: one("OnFailure") };
}
