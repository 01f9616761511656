import type * as sdk from "@aws-sdk/client-api-gateway";
import { isMadeFor } from "../../../aws/stack-tags.ts";
import type * as s3 from "@aws-sdk/client-s3";
import type { ClientOf } from "../../../wire/service.ts";
import type { Properties, ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import { badRequest } from "../errors.ts";
import { apiGatewayLimits as limits } from "../limits.ts";
import type { PatchOperation } from "../patch.ts";
import { flagOf, numberOf, objectOf, oneOf, stringsOf, tagsOf, textOf, textsOf, unlessGone } from "./properties.ts";

type Client = ClientOf<typeof sdk>;

export const restApiType: ResourceType = {
  type: "AWS::ApiGateway::RestApi",
  properties: [
    "ApiKeySourceType",
    "BinaryMediaTypes",
    "Body.*",
    "BodyS3Location.Bucket",
    "BodyS3Location.Key",
    "BodyS3Location.ETag",
    "BodyS3Location.Version",
    "CloneFrom",
    "Description",
    "DisableExecuteApiEndpoint",
    "EndpointConfiguration.IpAddressType",
    "EndpointConfiguration.Types",
    "FailOnWarnings",
    "MinimumCompressionSize",
    "Mode",
    "Name",
    "Parameters.*",
    "Policy.*",
    "Tags[].Key",
    "Tags[].Value",
  ],
  attributes: ["RestApiId", "RootResourceId"],
  create: async (context) => {
    const client = context.client<typeof sdk>("apigateway");
    const body = await readBody(context);
    if (context.resumed === true) await deleteUnrecorded(client, context);
    // It is made with its tags, by which one that a crash has cut off is found; then it gets what the body has.
    const api = await client.CreateRestApi(createInput(context, body === undefined ? undefined : context.logicalId));
    const id = api.id ?? "";
    if (body !== undefined) {
      try {
        await client.PutRestApi({ ...importInput(context.properties), restApiId: id, mode: "overwrite", body });
        await override(client, context, id, {});
      } catch (error) {
        await client.DeleteRestApi({ restApiId: id });
        throw error;
      }
    }
    return { physicalId: id, attributes: { RestApiId: id, RootResourceId: api.rootResourceId } };
  },
  update: async (context) => {
    const client = context.client<typeof sdk>("apigateway");
    const restApiId = context.state.physicalId;
    const body = await readBody(context);
    if (body !== undefined) {
      const mode = oneOf(["overwrite", "merge"] as const, context.properties, "Mode") ?? "overwrite";
      await client.PutRestApi({ ...importInput(context.properties), restApiId, mode, body });
    }
    // What the import has replaced is not there any more to be removed.
    await override(client, context, restApiId, body === undefined ? context.previous : {});
    const tags = tagsOf(context.properties);
    const gone = Object.keys(tagsOf(context.previous)).filter((key) => !(key in tags));
    if (gone.length > 0) await client.UntagResource({ resourceArn: arnOf(context, restApiId), tagKeys: gone });
    return context.state;
  },
  delete: async (context) => {
    const client = context.client<typeof sdk>("apigateway");
    await unlessGone(client.DeleteRestApi({ restApiId: context.state.physicalId }));
  },
};

/** Nobody knows the identifier of an API whose creation was cut off: it is made anew. */
async function deleteUnrecorded(client: Client, context: ResourceContext): Promise<void> {
  const { items = [] } = await client.GetRestApis({ limit: 500 });
  for (const { id, tags } of items) {
    if (isMadeFor(context, tags)) await unlessGone(client.DeleteRestApi({ restApiId: id }));
  }
}

/** @param fallback the name of an API whose body has one */
function createInput(context: ResourceContext, fallback: string | undefined) {
  const { properties } = context;
  const name = textOf(properties, "Name") ?? fallback;
  if (name === undefined) throw badRequest("Name is required when neither Body nor BodyS3Location is given");
  const endpoint = objectOf(properties, "EndpointConfiguration");
  return {
    name,
    cloneFrom: textOf(properties, "CloneFrom"),
    description: textOf(properties, "Description"),
    binaryMediaTypes: mediaTypesOf(properties),
    apiKeySource: oneOf(["HEADER", "AUTHORIZER"] as const, properties, "ApiKeySourceType"),
    disableExecuteApiEndpoint: flagOf(properties, "DisableExecuteApiEndpoint"),
    minimumCompressionSize: numberOf(properties, "MinimumCompressionSize"),
    policy: policyOf(properties),
    ...(endpoint === undefined
      ? {}
      : {
          endpointConfiguration: {
            types: endpointTypes(endpoint),
            ipAddressType: oneOf(["ipv4", "dualstack"] as const, endpoint, "IpAddressType"),
          },
        }),
    tags: { ...context.tags, ...tagsOf(properties) },
  };
}

function importInput(properties: Properties) {
  const endpoint = objectOf(properties, "EndpointConfiguration");
  const type = endpoint === undefined ? undefined : endpointTypes(endpoint)?.[0];
  return {
    failOnWarnings: flagOf(properties, "FailOnWarnings"),
    parameters: {
      ...(type === undefined ? {} : { endpointConfigurationTypes: type }),
      ...textsOf(properties, "Parameters"),
    },
  };
}

function endpointTypes(endpoint: Properties): ("EDGE" | "REGIONAL" | "PRIVATE")[] | undefined {
  return stringsOf(endpoint, "Types")?.map((type) => {
    if (type === "EDGE" || type === "REGIONAL" || type === "PRIVATE") return type;
    throw badRequest(`Invalid endpoint type ${type}`);
  });
}

/** What the template says beside a body wins over the body. */
async function override(client: Client, context: ResourceContext, restApiId: string, previous: Properties) {
  const { properties } = context;
  const patchOperations: (PatchOperation & { readonly op: "add" | "replace" | "remove" })[] = [];
  const replace = (path: string, value: string | undefined) => {
    if (value !== undefined) patchOperations.push({ op: "replace", path, value });
  };
  replace("/name", textOf(properties, "Name"));
  const hadDescription = textOf(previous, "Description") !== undefined;
  replace("/description", textOf(properties, "Description") ?? (hadDescription ? "" : undefined));
  replace("/apiKeySource", textOf(properties, "ApiKeySourceType"));
  const hadSize = textOf(previous, "MinimumCompressionSize") !== undefined;
  replace("/minimumCompressionSize", textOf(properties, "MinimumCompressionSize") ?? (hadSize ? "" : undefined));
  replace("/policy", policyOf(properties) ?? (policyOf(previous) === undefined ? undefined : ""));
  replace("/disableExecuteApiEndpoint", textOf(properties, "DisableExecuteApiEndpoint"));
  const endpoint = objectOf(properties, "EndpointConfiguration");
  if (endpoint !== undefined) {
    replace("/endpointConfiguration/types/0", endpointTypes(endpoint)?.[0]);
    replace("/endpointConfiguration/ipAddressType", textOf(endpoint, "IpAddressType"));
  }
  const types = mediaTypesOf(properties) ?? [];
  for (const type of mediaTypesOf(previous) ?? []) {
    if (!types.includes(type)) patchOperations.push({ op: "remove", path: toPath(type) });
  }
  for (const type of types) patchOperations.push({ op: "add", path: toPath(type) });
  if (patchOperations.length > 0) await client.UpdateRestApi({ restApiId, patchOperations });
  const tags = { ...context.tags, ...tagsOf(properties) };
  if (Object.keys(tags).length > 0) await client.TagResource({ resourceArn: arnOf(context, restApiId), tags });
}

function policyOf(properties: Properties): string | undefined {
  const policy = objectOf(properties, "Policy");
  return policy === undefined ? textOf(properties, "Policy") : JSON.stringify(policy);
}

function toPath(type: string): string {
  return `/binaryMediaTypes/${type.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

async function readBody(context: ResourceContext): Promise<Uint8Array | undefined> {
  const body = objectOf(context.properties, "Body");
  if (body !== undefined) return Buffer.from(JSON.stringify(body), "utf8");
  const location = objectOf(context.properties, "BodyS3Location");
  if (location === undefined) return undefined;
  const object = await context.client<typeof s3>("s3").GetObject({
    Bucket: textOf(location, "Bucket"),
    Key: textOf(location, "Key"),
    VersionId: textOf(location, "Version"),
    IfMatch: textOf(location, "ETag"),
  });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const content = object.Body ?? [];
  for await (const chunk of content instanceof Uint8Array ? [content] : content) {
    bytes += chunk.length;
    if (bytes > limits.definitionBytesMax) throw badRequest("The definition is larger than 6 MB");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function arnOf(context: ResourceContext, restApiId: string): string {
  return `arn:aws:apigateway:${context.region}::/restapis/${restApiId}`;
}

/** AWS: templates write slashes as `~1`. */
function mediaTypesOf(properties: Properties): string[] | undefined {
  return stringsOf(properties, "BinaryMediaTypes")?.map((type) => type.replaceAll("~1", "/"));
}
