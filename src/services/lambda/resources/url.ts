import type { Properties, ResourceType } from "../../cloudformation/port.ts";
import type { Sdk } from "../needs.ts";
import { defined, isAwsError, numberOf, objectOf, stringsOf, textOf, unlessGone } from "./properties.ts";

export const urlType: ResourceType = {
  type: "AWS::Lambda::Url",
  properties: [
    "AuthType",
    "Cors.AllowCredentials",
    "Cors.AllowHeaders",
    "Cors.AllowMethods",
    "Cors.AllowOrigins",
    "Cors.ExposeHeaders",
    "Cors.MaxAge",
    "InvokeMode",
    "Qualifier",
    "TargetFunctionArn",
  ],
  attributes: ["FunctionArn", "FunctionUrl"],

  async create(context) {
    const lambda = context.client<Sdk>("lambda");
    const input = inputOf(context.properties);
    let url;
    try {
      url = await lambda.CreateFunctionUrlConfig(input);
    } catch (error) {
      if (!context.resumed || !isAwsError(error, "ResourceConflictException")) throw error;
      url = await lambda.UpdateFunctionUrlConfig(input);
    }
    return {
      physicalId: url.FunctionArn ?? "",
      attributes: { FunctionArn: url.FunctionArn, FunctionUrl: url.FunctionUrl },
    };
  },

  async update(context) {
    await context.client<Sdk>("lambda").UpdateFunctionUrlConfig(inputOf(context.properties));
    return context.state;
  },

  async delete(context) {
    const { FunctionName, Qualifier } = inputOf(context.properties);
    await unlessGone(context.client<Sdk>("lambda").DeleteFunctionUrlConfig({ FunctionName, Qualifier }));
  },
};

function inputOf(properties: Properties) {
  const cors = objectOf(properties, "Cors") ?? {};
  const credentials = textOf(cors, "AllowCredentials");
  return {
    FunctionName: textOf(properties, "TargetFunctionArn"),
    Qualifier: textOf(properties, "Qualifier"),
    AuthType: toAuthType(textOf(properties, "AuthType")),
    InvokeMode: toInvokeMode(textOf(properties, "InvokeMode") ?? "BUFFERED"),
    // What a template no longer says must go.
    Cors: defined({
      AllowCredentials: credentials === undefined ? undefined : credentials === "true",
      AllowHeaders: stringsOf(cors, "AllowHeaders"),
      AllowMethods: stringsOf(cors, "AllowMethods"),
      AllowOrigins: stringsOf(cors, "AllowOrigins"),
      ExposeHeaders: stringsOf(cors, "ExposeHeaders"),
      MaxAge: numberOf(cors, "MaxAge"),
    }),
  };
}

// The operation refuses what is neither, in AWS's words.
function toAuthType(text: string | undefined): "NONE" | "AWS_IAM" | undefined {
  return text as "NONE" | "AWS_IAM" | undefined;
}

function toInvokeMode(text: string): "BUFFERED" | "RESPONSE_STREAM" {
  return text as "BUFFERED" | "RESPONSE_STREAM";
}
