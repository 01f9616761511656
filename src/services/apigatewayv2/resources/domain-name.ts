import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { isMadeFor } from "../../../aws/stack-tags.ts";
import type { Properties, ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import { objectOf, oneOf, textOf, textsOf, unlessGone } from "./properties.ts";

const modes = ["API_MAPPING_ONLY", "ROUTING_RULE_ONLY", "ROUTING_RULE_THEN_API_MAPPING"] as const;

export const domainNameType: ResourceType = {
  type: "AWS::ApiGatewayV2::DomainName",
  properties: [
    "DomainName",
    "DomainNameConfigurations[].CertificateArn",
    "DomainNameConfigurations[].CertificateName",
    "DomainNameConfigurations[].EndpointType",
    "DomainNameConfigurations[].IpAddressType",
    "DomainNameConfigurations[].OwnershipVerificationCertificateArn",
    "DomainNameConfigurations[].SecurityPolicy",
    "MutualTlsAuthentication.TruststoreUri",
    "MutualTlsAuthentication.TruststoreVersion",
    "RoutingMode",
    "Tags.*",
  ],
  attributes: ["DomainNameArn", "RegionalDomainName", "RegionalHostedZoneId"],
  create: async (context) => {
    const { client: clientOf, properties, tags } = context;
    const client = clientOf<typeof sdk>("apigatewayv2");
    const DomainName = textOf(properties, "DomainName");
    if (context.resumed === true && (await isOurs(context, DomainName))) await client.DeleteDomainName({ DomainName });
    const made = await client.CreateDomainName({
      ...inputOf(properties),
      Tags: { ...tags, ...textsOf(properties, "Tags") },
    });
    return { physicalId: made.DomainName ?? "", attributes: attributesOf(made) };
  },
  update: async ({ client: clientOf, properties, previous, state, tags, region }) => {
    const client = clientOf<typeof sdk>("apigatewayv2");
    const input = inputOf(properties);
    const updated = await client.UpdateDomainName({
      ...input,
      DomainName: state.physicalId,
      RoutingMode: input.RoutingMode ?? "API_MAPPING_ONLY",
      MutualTlsAuthentication: input.MutualTlsAuthentication ?? { TruststoreUri: "" },
    });
    const ResourceArn = `arn:aws:apigateway:${region}::/domainnames/${state.physicalId}`;
    const wanted = { ...tags, ...textsOf(properties, "Tags") };
    const gone = Object.keys(textsOf(previous, "Tags")).filter((key) => !(key in wanted));
    if (gone.length > 0) await client.UntagResource({ ResourceArn, TagKeys: gone });
    if (Object.keys(wanted).length > 0) await client.TagResource({ ResourceArn, Tags: wanted });
    return { physicalId: state.physicalId, attributes: attributesOf(updated) };
  },
  delete: async ({ client, state }) => {
    await unlessGone(client<typeof sdk>("apigatewayv2").DeleteDomainName({ DomainName: state.physicalId }));
  },
};

/** Whether a domain name is what a crash has left of the creation of this resource. */
async function isOurs(context: ResourceContext, name: string | undefined): Promise<boolean> {
  const { Items = [] } = await context.client<typeof sdk>("apigatewayv2").GetDomainNames({ MaxResults: "500" });
  return Items.some(({ DomainName, Tags }) => DomainName === name && isMadeFor(context, Tags));
}

function inputOf(properties: Properties) {
  const list = properties["DomainNameConfigurations"];
  const configurations = Array.isArray(list) ? list : [];
  const mutual = objectOf(properties, "MutualTlsAuthentication");
  return {
    DomainName: textOf(properties, "DomainName"),
    DomainNameConfigurations: configurations.map((item: unknown) => {
      const configuration = objectOf({ item }, "item") ?? {};
      return {
        CertificateArn: textOf(configuration, "CertificateArn"),
        CertificateName: textOf(configuration, "CertificateName"),
        EndpointType: oneOf(["REGIONAL", "EDGE"] as const, configuration, "EndpointType"),
        IpAddressType: oneOf(["ipv4", "dualstack"] as const, configuration, "IpAddressType"),
        OwnershipVerificationCertificateArn: textOf(configuration, "OwnershipVerificationCertificateArn"),
        SecurityPolicy: oneOf(["TLS_1_0", "TLS_1_2"] as const, configuration, "SecurityPolicy"),
      };
    }),
    ...(mutual === undefined
      ? {}
      : {
          MutualTlsAuthentication: {
            TruststoreUri: textOf(mutual, "TruststoreUri"),
            TruststoreVersion: textOf(mutual, "TruststoreVersion"),
          },
        }),
    RoutingMode: oneOf(modes, properties, "RoutingMode"),
  };
}

function attributesOf(domain: Pick<sdk.DomainName, "DomainNameArn" | "DomainNameConfigurations">) {
  const [configuration] = domain.DomainNameConfigurations ?? [];
  return {
    DomainNameArn: domain.DomainNameArn,
    RegionalDomainName: configuration?.ApiGatewayDomainName,
    ...(configuration?.HostedZoneId === undefined ? {} : { RegionalHostedZoneId: configuration.HostedZoneId }),
  };
}
