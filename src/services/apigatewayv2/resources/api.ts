import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { isMadeFor } from "../../../aws/stack-tags.ts";
import type * as s3 from "@aws-sdk/client-s3";
import type { ClientOf } from "../../../wire/service.ts";
import type { Properties, ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import { badRequest } from "../errors.ts";
import { apiGatewayV2Limits as limits } from "../limits.ts";
import { flagOf, numberOf, objectOf, oneOf, stringsOf, textOf, textsOf, unlessGone } from "./properties.ts";

type Client = ClientOf<typeof sdk>;

export const apiType: ResourceType = {
  type: "AWS::ApiGatewayV2::Api",
  properties: [
    "ApiKeySelectionExpression",
    "BasePath",
    "Body.*",
    "BodyS3Location.Bucket",
    "BodyS3Location.Etag",
    "BodyS3Location.Key",
    "BodyS3Location.Version",
    "CorsConfiguration.*",
    "CredentialsArn",
    "Description",
    "DisableExecuteApiEndpoint",
    "DisableSchemaValidation",
    "FailOnWarnings",
    "IpAddressType",
    "Name",
    "ProtocolType",
    "RouteKey",
    "RouteSelectionExpression",
    "Tags.*",
    "Target",
    "Version",
  ],
  attributes: ["ApiEndpoint", "ApiId"],
  create: async (context) => {
    const client = context.client<typeof sdk>("apigatewayv2");
    const body = await readBody(context);
    if (context.resumed === true) await deleteUnrecorded(client, context);
    // It is made with its tags, by which one that a crash has cut off is found; then it gets what the body has.
    const api = await client.CreateApi(
      body === undefined
        ? createInput(context)
        : {
            Name: textOf(context.properties, "Name") ?? context.logicalId,
            ProtocolType: "HTTP",
            Tags: { ...context.tags, ...textsOf(context.properties, "Tags") },
          },
    );
    const apiId = api.ApiId ?? "";
    if (body !== undefined) {
      try {
        await client.ReimportApi({ ...importInput(context.properties), ApiId: apiId, Body: body });
        await override(client, context, apiId);
      } catch (error) {
        await client.DeleteApi({ ApiId: apiId });
        throw error;
      }
    }
    return { physicalId: apiId, attributes: { ApiId: apiId, ApiEndpoint: api.ApiEndpoint } };
  },
  update: async (context) => {
    const { properties, previous, state } = context;
    const client = context.client<typeof sdk>("apigatewayv2");
    const apiId = state.physicalId;
    const body = await readBody(context);
    if (body !== undefined) {
      await client.ReimportApi({ ...importInput(properties), ApiId: apiId, Body: body });
    } else if (previous["CorsConfiguration"] !== undefined && properties["CorsConfiguration"] === undefined) {
      await client.DeleteCorsConfiguration({ ApiId: apiId });
    }
    await override(client, context, apiId);
    const changed = (name: string) => {
      const value = textOf(properties, name);
      return value === textOf(previous, name) ? undefined : value;
    };
    const quick = {
      Target: changed("Target"),
      RouteKey: changed("RouteKey"),
      CredentialsArn: changed("CredentialsArn"),
    };
    if (Object.values(quick).some((value) => value !== undefined)) await client.UpdateApi({ ApiId: apiId, ...quick });
    const gone = Object.keys(textsOf(previous, "Tags")).filter((key) => !(key in textsOf(properties, "Tags")));
    if (gone.length > 0) await client.UntagResource({ ResourceArn: arnOf(context, apiId), TagKeys: gone });
    return state;
  },
  delete: async (context) => {
    const client = context.client<typeof sdk>("apigatewayv2");
    await unlessGone(client.DeleteApi({ ApiId: context.state.physicalId }));
  },
};

/** Nobody knows the identifier of an API whose creation was cut off: it is made anew. One of the other protocol is being replaced. */
async function deleteUnrecorded(client: Client, context: ResourceContext): Promise<void> {
  const protocol = textOf(context.properties, "ProtocolType") ?? "HTTP";
  const { Items = [] } = await client.GetApis({ MaxResults: "500" });
  for (const { ApiId, ProtocolType, Tags } of Items) {
    if (isMadeFor(context, Tags) && ProtocolType === protocol) await unlessGone(client.DeleteApi({ ApiId }));
  }
}

function importInput(properties: Properties) {
  return { Basepath: textOf(properties, "BasePath"), FailOnWarnings: flagOf(properties, "FailOnWarnings") };
}

function createInput(context: ResourceContext) {
  const { properties } = context;
  const protocol = oneOf(["HTTP", "WEBSOCKET"] as const, properties, "ProtocolType");
  if (protocol === undefined) {
    throw badRequest("ProtocolType is required when neither Body nor BodyS3Location is given");
  }
  return {
    ...settings(properties),
    Name: textOf(properties, "Name") ?? "",
    ProtocolType: protocol,
    Target: textOf(properties, "Target"),
    CredentialsArn: textOf(properties, "CredentialsArn"),
    RouteKey: textOf(properties, "RouteKey"),
    Tags: { ...context.tags, ...textsOf(properties, "Tags") },
  };
}

/** What the template says beside a body wins over the body. */
async function override(client: Client, context: ResourceContext, apiId: string): Promise<void> {
  const changes = { ...settings(context.properties), Name: textOf(context.properties, "Name") };
  if (Object.values(changes).some((value) => value !== undefined)) await client.UpdateApi({ ApiId: apiId, ...changes });
  const tags = { ...context.tags, ...textsOf(context.properties, "Tags") };
  if (Object.keys(tags).length > 0) await client.TagResource({ ResourceArn: arnOf(context, apiId), Tags: tags });
}

function settings(properties: Properties) {
  return {
    ApiKeySelectionExpression: textOf(properties, "ApiKeySelectionExpression"),
    DisableSchemaValidation: flagOf(properties, "DisableSchemaValidation"),
    CorsConfiguration: corsOf(objectOf(properties, "CorsConfiguration")),
    Description: textOf(properties, "Description"),
    DisableExecuteApiEndpoint: flagOf(properties, "DisableExecuteApiEndpoint"),
    IpAddressType: oneOf(["ipv4", "dualstack"] as const, properties, "IpAddressType"),
    RouteSelectionExpression: textOf(properties, "RouteSelectionExpression"),
    Version: textOf(properties, "Version"),
  };
}

function corsOf(cors: Properties | undefined) {
  if (cors === undefined) return undefined;
  return {
    AllowCredentials: flagOf(cors, "AllowCredentials"),
    AllowHeaders: stringsOf(cors, "AllowHeaders"),
    AllowMethods: stringsOf(cors, "AllowMethods"),
    AllowOrigins: stringsOf(cors, "AllowOrigins"),
    ExposeHeaders: stringsOf(cors, "ExposeHeaders"),
    MaxAge: numberOf(cors, "MaxAge"),
  };
}

async function readBody(context: ResourceContext): Promise<string | undefined> {
  const body = objectOf(context.properties, "Body");
  if (body !== undefined) return JSON.stringify(body);
  const location = objectOf(context.properties, "BodyS3Location");
  if (location === undefined) return undefined;
  const object = await context.client<typeof s3>("s3").GetObject({
    Bucket: textOf(location, "Bucket"),
    Key: textOf(location, "Key"),
    VersionId: textOf(location, "Version"),
    IfMatch: textOf(location, "Etag"),
  });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(object.Body)) {
    bytes += chunk.length;
    if (bytes > limits.definitionBytesMax) throw badRequest("The definition is larger than 6 MB");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function chunksOf(body: AsyncIterable<Uint8Array> | Uint8Array | undefined): AsyncIterable<Uint8Array> | Uint8Array[] {
  if (body === undefined) return [];
  return body instanceof Uint8Array ? [body] : body;
}

function arnOf(context: ResourceContext, apiId: string): string {
  return `arn:aws:apigateway:${context.region}::/apis/${apiId}`;
}
