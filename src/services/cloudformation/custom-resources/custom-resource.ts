import type * as sdk from "@aws-sdk/client-lambda";
import { AwsError } from "../../../aws/error.ts";
import type { ResourceContext, ResourceState, ResourceType } from "../port.ts";
import { CustomResourceError } from "./custom-resource-error.ts";
import { customResourceType, parseServiceToken, timeoutMsOf } from "./custom-types.ts";
import {
  awaitResponse,
  beginRequest,
  dropRequest,
  markSent,
  type ProviderNeeds,
  responseUrl,
  type Subject,
} from "./provider-requests.ts";

type Question =
  | { readonly RequestType: "Create" }
  | { readonly RequestType: "Update"; readonly PhysicalResourceId: string; readonly OldResourceProperties: object }
  | { readonly RequestType: "Delete"; readonly PhysicalResourceId: string };

/**
 * Custom resources: a function of the template's author is asked to make, change and delete them, and answers later, at an
 * address that it is given. Source: CloudFormation user guide, "Custom resource provider request types".
 */
export function createCustomResource(needs: ProviderNeeds): ResourceType {
  return {
    type: customResourceType,
    properties: ["ServiceToken", "ServiceTimeout"],
    attributes: ["*"],
    replacesByUpdate: true,
    create: (context) => ask(needs, context, { RequestType: "Create" }),
    update: (context) => {
      const { properties, previous, state } = context;
      if (context.restores !== true && properties["ServiceToken"] !== previous["ServiceToken"]) {
        throw new CustomResourceError("Modifying service token is not allowed.");
      }
      return ask(needs, context, {
        RequestType: "Update",
        PhysicalResourceId: state.physicalId,
        OldResourceProperties: previous,
      });
    },
    delete: async (context) => {
      await ask(needs, context, { RequestType: "Delete", PhysicalResourceId: context.state.physicalId });
    },
  };
}

async function ask(needs: ProviderNeeds, context: ResourceContext, question: Question): Promise<ResourceState> {
  const { account, region, clientToken, stackId, logicalId, properties } = context;
  const { RequestType } = question;
  const FunctionName = parseServiceToken(properties["ServiceToken"], logicalId, context.type);
  const subject: Subject = { account, region, clientToken };
  const request = await beginRequest(needs, subject, {
    stackId,
    logicalId,
    question: [question, properties],
    timeoutMs: timeoutMsOf(properties, logicalId),
    resumed: context.resumed === true,
  });
  const { requestId } = request;
  // Names what a provider may have made without ever saying how it is called.
  const unnamed = RequestType === "Create" ? context.generateName(unnamedMax) : undefined;
  const fail = async (reason: string, physicalId: string | undefined): Promise<CustomResourceError> => {
    await dropRequest(needs, subject);
    return new CustomResourceError(reason, RequestType === "Create" ? physicalId : undefined);
  };
  if (!request.sent) {
    const document = {
      ...question,
      ServiceToken: FunctionName,
      ResponseURL: responseUrl(needs, subject, request),
      StackId: stackId,
      RequestId: requestId,
      LogicalResourceId: logicalId,
      ResourceType: context.type,
      ResourceProperties: properties,
    };
    try {
      const lambda = context.client<typeof sdk>("lambda");
      const Payload = Buffer.from(JSON.stringify(document));
      await lambda.Invoke({ FunctionName, InvocationType: "Event", Payload });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      throw await fail(`${error.message} (Service: Lambda, Status Code: ${error.status})`, undefined);
    }
    await markSent(needs, subject, requestId);
  }
  const response = await awaitResponse(needs, subject, request, context.signal);
  if (response === undefined && context.signal.aborted) {
    // The request stays: a process that goes on waits for its answer.
    const verb = RequestType === "Create" ? "creation" : RequestType === "Update" ? "update" : "deletion";
    throw new CustomResourceError(`Resource ${verb} cancelled`, unnamed);
  }
  if (response === undefined) throw await fail(noResponse(requestId), unnamed);
  switch (response.status) {
    case "FAILED": {
      const told = `Received response status [FAILED] from custom resource. Message returned: ${response.reason} (RequestId: ${requestId})`;
      throw await fail(told, response.physicalId ?? unnamed);
    }
    case "INVALID":
      throw await fail(response.reason, unnamed);
    case "SUCCESS": {
      const { physicalId, data, noEcho } = response;
      if (physicalId === undefined && RequestType !== "Delete") throw await fail("Invalid PhysicalResourceId", unnamed);
      return { physicalId: physicalId ?? "", attributes: data, ...(noEcho && { noEcho }) };
    }
  }
}

const unnamedMax = 128;

function noResponse(requestId: string): string {
  return `CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [${requestId}]. If you are using the Python cfn-response module, you may need to update your Lambda function code so that CloudFormation can attach the updated version.`;
}
