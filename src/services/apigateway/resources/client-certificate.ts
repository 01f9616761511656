import type * as sdk from "@aws-sdk/client-api-gateway";
import { isMadeFor } from "../../../aws/stack-tags.ts";
import type { ResourceType } from "../../cloudformation/port.ts";
import { textOf, unlessGone } from "./properties.ts";

export const clientCertificateType: ResourceType = {
  type: "AWS::ApiGateway::ClientCertificate",
  properties: ["Description"],
  attributes: ["ClientCertificateId"],
  create: async (context) => {
    const client = context.client<typeof sdk>("apigateway");
    // One that a crash cut off is told by its tags: nobody knows its identifier.
    const { items = [] } = context.resumed === true ? await client.GetClientCertificates({ limit: 500 }) : {};
    for (const { clientCertificateId, tags } of items) {
      if (isMadeFor(context, tags)) await unlessGone(client.DeleteClientCertificate({ clientCertificateId }));
    }
    const { clientCertificateId = "" } = await client.GenerateClientCertificate({
      description: textOf(context.properties, "Description"),
      tags: { ...context.tags },
    });
    return { physicalId: clientCertificateId, attributes: { ClientCertificateId: clientCertificateId } };
  },
  update: async ({ client, properties, state }) => {
    await client<typeof sdk>("apigateway").UpdateClientCertificate({
      clientCertificateId: state.physicalId,
      patchOperations: [{ op: "replace", path: "/description", value: textOf(properties, "Description") ?? "" }],
    });
    return state;
  },
  delete: async ({ client, state }) => {
    await unlessGone(
      client<typeof sdk>("apigateway").DeleteClientCertificate({ clientCertificateId: state.physicalId }),
    );
  },
};
