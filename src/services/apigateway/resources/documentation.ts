import type * as sdk from "@aws-sdk/client-api-gateway";
import type { ResourceType } from "../../cloudformation/port.ts";
import { parseLocation } from "../openapi-describing.ts";
import { objectOf, textOf, unlessGone } from "./properties.ts";
import { createOnce } from "./resumed.ts";

export const documentationPartType: ResourceType = {
  type: "AWS::ApiGateway::DocumentationPart",
  properties: [
    "Location.Method",
    "Location.Name",
    "Location.Path",
    "Location.StatusCode",
    "Location.Type",
    "Properties",
    "RestApiId",
  ],
  attributes: ["DocumentationPartId"],
  create: async (context) => {
    const client = context.client<typeof sdk>("apigateway");
    const { properties } = context;
    const restApiId = textOf(properties, "RestApiId");
    const given = objectOf(properties, "Location") ?? {};
    const location = parseLocation({
      type: textOf(given, "Type"),
      path: textOf(given, "Path"),
      method: textOf(given, "Method"),
      statusCode: textOf(given, "StatusCode"),
      name: textOf(given, "Name"),
    });
    const { id = "" } = await createOnce(
      context,
      async () => {
        const { items = [] } = await client.GetDocumentationParts({ restApiId, limit: 500 });
        return items.find((part) => JSON.stringify(part.location) === JSON.stringify(location));
      },
      () => client.CreateDocumentationPart({ restApiId, location, properties: textOf(properties, "Properties") ?? "" }),
    );
    return { physicalId: id, attributes: { DocumentationPartId: id } };
  },
  update: async ({ client, properties, state }) => {
    await client<typeof sdk>("apigateway").UpdateDocumentationPart({
      restApiId: textOf(properties, "RestApiId"),
      documentationPartId: state.physicalId,
      patchOperations: [{ op: "replace", path: "/properties", value: textOf(properties, "Properties") ?? "" }],
    });
    return state;
  },
  delete: async ({ client, properties, state }) => {
    const restApiId = textOf(properties, "RestApiId");
    await unlessGone(
      client<typeof sdk>("apigateway").DeleteDocumentationPart({ restApiId, documentationPartId: state.physicalId }),
    );
  },
};

export const documentationVersionType: ResourceType = {
  type: "AWS::ApiGateway::DocumentationVersion",
  properties: ["Description", "DocumentationVersion", "RestApiId"],
  attributes: [],
  create: async (context) => {
    const client = context.client<typeof sdk>("apigateway");
    const { properties } = context;
    const restApiId = textOf(properties, "RestApiId");
    const documentationVersion = textOf(properties, "DocumentationVersion") ?? "";
    await createOnce(
      context,
      async () => {
        const { items = [] } = await client.GetDocumentationVersions({ restApiId, limit: 500 });
        return items.find(({ version }) => version === documentationVersion);
      },
      () =>
        client.CreateDocumentationVersion({
          restApiId,
          documentationVersion,
          description: textOf(properties, "Description"),
        }),
    );
    return { physicalId: documentationVersion, attributes: {} };
  },
  update: async ({ client, properties, state }) => {
    await client<typeof sdk>("apigateway").UpdateDocumentationVersion({
      restApiId: textOf(properties, "RestApiId"),
      documentationVersion: state.physicalId,
      patchOperations: [{ op: "replace", path: "/description", value: textOf(properties, "Description") ?? "" }],
    });
    return state;
  },
  delete: async ({ client, properties, state }) => {
    const restApiId = textOf(properties, "RestApiId");
    await unlessGone(
      client<typeof sdk>("apigateway").DeleteDocumentationVersion({
        restApiId,
        documentationVersion: state.physicalId,
      }),
    );
  },
};
