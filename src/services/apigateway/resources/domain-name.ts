import type * as sdk from "@aws-sdk/client-api-gateway";
import { isMadeFor } from "../../../aws/stack-tags.ts";
import type { Properties, ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import { objectOf, oneOf, stringsOf, tagsOf, textOf, unlessGone } from "./properties.ts";

const endpointTypes = ["EDGE", "REGIONAL", "PRIVATE"] as const;
const modes = ["BASE_PATH_MAPPING_ONLY", "ROUTING_RULE_ONLY", "ROUTING_RULE_THEN_BASE_PATH_MAPPING"] as const;

export const domainNameType: ResourceType = {
  type: "AWS::ApiGateway::DomainName",
  properties: [
    "CertificateArn",
    "DomainName",
    // Others than BASIC, and than TLS_1_2, are refused by the operation, by name.
    "EndpointAccessMode",
    "EndpointConfiguration.IpAddressType",
    "EndpointConfiguration.Types",
    "MutualTlsAuthentication.TruststoreUri",
    "MutualTlsAuthentication.TruststoreVersion",
    "OwnershipVerificationCertificateArn",
    "RegionalCertificateArn",
    "RoutingMode",
    "SecurityPolicy",
    "Tags[].Key",
    "Tags[].Value",
  ],
  attributes: [
    "DistributionDomainName",
    "DistributionHostedZoneId",
    "DomainNameArn",
    "RegionalDomainName",
    "RegionalHostedZoneId",
  ],
  create: async (context) => {
    const { client: clientOf, properties, tags } = context;
    const client = clientOf<typeof sdk>("apigateway");
    const domainName = textOf(properties, "DomainName");
    if (context.resumed === true && (await isOurs(context, domainName))) await client.DeleteDomainName({ domainName });
    const endpoint = objectOf(properties, "EndpointConfiguration") ?? {};
    const types = stringsOf(endpoint, "Types")?.map((type) => oneOf(endpointTypes, { type }, "type") ?? "EDGE");
    const mutual = objectOf(properties, "MutualTlsAuthentication");
    const made = await client.CreateDomainName({
      domainName,
      certificateArn: textOf(properties, "CertificateArn"),
      regionalCertificateArn: textOf(properties, "RegionalCertificateArn"),
      endpointConfiguration: {
        types,
        ipAddressType: oneOf(["ipv4", "dualstack"] as const, endpoint, "IpAddressType"),
      },
      ...(mutual === undefined
        ? {}
        : {
            mutualTlsAuthentication: {
              truststoreUri: textOf(mutual, "TruststoreUri"),
              truststoreVersion: textOf(mutual, "TruststoreVersion"),
            },
          }),
      ownershipVerificationCertificateArn: textOf(properties, "OwnershipVerificationCertificateArn"),
      routingMode: oneOf(modes, properties, "RoutingMode"),
      securityPolicy: oneOf(["TLS_1_0", "TLS_1_2"] as const, properties, "SecurityPolicy"),
      endpointAccessMode: oneOf(["BASIC", "STRICT"] as const, properties, "EndpointAccessMode"),
      tags: { ...tags, ...tagsOf(properties) },
    });
    return { physicalId: made.domainName ?? "", attributes: attributesOf(made) };
  },
  update: async ({ client: clientOf, properties, previous, state, tags, region }) => {
    const client = clientOf<typeof sdk>("apigateway");
    const domainName = state.physicalId;
    const patchOperations: { op: "replace"; path: string; value: string }[] = [];
    const flat = flatten(properties);
    const before = flatten(previous);
    for (const path of new Set([...Object.keys(flat), ...Object.keys(before)])) {
      const value = flat[path] ?? defaults[path] ?? "";
      if (value !== (before[path] ?? defaults[path] ?? "")) patchOperations.push({ op: "replace", path, value });
    }
    const changed =
      patchOperations.length === 0
        ? await client.GetDomainName({ domainName })
        : await client.UpdateDomainName({ domainName, patchOperations });
    const resourceArn = `arn:aws:apigateway:${region}::/domainnames/${domainName}`;
    const wanted = { ...tags, ...tagsOf(properties) };
    const gone = Object.keys(tagsOf(previous)).filter((key) => !(key in wanted));
    if (gone.length > 0) await client.UntagResource({ resourceArn, tagKeys: gone });
    if (Object.keys(wanted).length > 0) await client.TagResource({ resourceArn, tags: wanted });
    return { physicalId: domainName, attributes: attributesOf(changed) };
  },
  delete: async ({ client, state }) => {
    await unlessGone(client<typeof sdk>("apigateway").DeleteDomainName({ domainName: state.physicalId }));
  },
};

/** What a property that is taken out of a template is again. */
const defaults: Readonly<Record<string, string>> = {
  "/endpointAccessMode": "BASIC",
  "/endpointConfiguration/ipAddressType": "ipv4",
  "/routingMode": "BASE_PATH_MAPPING_ONLY",
  "/securityPolicy": "TLS_1_2",
};

/** Whether a domain name is what a crash has left of the creation of this resource. */
async function isOurs(context: ResourceContext, domainName: string | undefined): Promise<boolean> {
  const { items = [] } = await context.client<typeof sdk>("apigateway").GetDomainNames({ limit: 500 });
  return items.some((item) => item.domainName === domainName && isMadeFor(context, item.tags));
}

/** A template's properties by the paths of patches. */
function flatten(properties: Properties): Record<string, string> {
  const endpoint = objectOf(properties, "EndpointConfiguration") ?? {};
  const mutual = objectOf(properties, "MutualTlsAuthentication") ?? {};
  const paths = {
    "/endpointConfiguration/types/0": stringsOf(endpoint, "Types")?.[0],
    "/endpointConfiguration/ipAddressType": textOf(endpoint, "IpAddressType"),
    "/certificateArn": textOf(properties, "CertificateArn"),
    "/regionalCertificateArn": textOf(properties, "RegionalCertificateArn"),
    "/mutualTlsAuthentication/truststoreVersion": textOf(mutual, "TruststoreVersion"),
    "/mutualTlsAuthentication/truststoreUri": textOf(mutual, "TruststoreUri"),
    "/ownershipVerificationCertificateArn": textOf(properties, "OwnershipVerificationCertificateArn"),
    "/routingMode": textOf(properties, "RoutingMode"),
    "/securityPolicy": textOf(properties, "SecurityPolicy"),
    "/endpointAccessMode": textOf(properties, "EndpointAccessMode"),
  };
  return Object.fromEntries(
    Object.entries(paths).flatMap(([path, value]) => (value === undefined ? [] : [[path, value]])),
  );
}

function attributesOf(domain: sdk.DomainName): Record<string, unknown> {
  return {
    DomainNameArn: domain.domainNameArn,
    ...(domain.distributionDomainName === undefined ? {} : { DistributionDomainName: domain.distributionDomainName }),
    ...(domain.distributionHostedZoneId === undefined
      ? {}
      : { DistributionHostedZoneId: domain.distributionHostedZoneId }),
    ...(domain.regionalDomainName === undefined ? {} : { RegionalDomainName: domain.regionalDomainName }),
    ...(domain.regionalHostedZoneId === undefined ? {} : { RegionalHostedZoneId: domain.regionalHostedZoneId }),
  };
}
