import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { notImplemented } from "../../../aws/error.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import type { DomainRecord, DomainSettings, DomainTarget } from "../../execute-api/port.ts";
import { may } from "../authorize.ts";
import { badRequest } from "../errors.ts";
import { pageOf, wholeSecond } from "../rules.ts";
import type { ApiGatewayV2Needs } from "./needs.ts";
import { checkTags } from "./tags.ts";

/** Custom domain names: the same as REST APIs have, told in this API's words. */
export function domainNameOperations(needs: ApiGatewayV2Needs) {
  const { domains } = needs;
  const describe = (record: DomainRecord, call: Call) => describeDomain(record, domains.target(record, call.endpoint));
  return {
    CreateDomainName: {
      authorize: (_input, call) => may("POST", call, "/domainnames"),
      run: async (input, call) => {
        const { certificate, ...settings } = parseSettings("CreateDomainName", input);
        if (certificate === undefined) throw badRequest("A certificate ARN must be given for the domain name");
        const domainName = input.DomainName ?? "";
        const tags = checkTags(input.Tags ?? {});
        return describe(await domains.create(call, { ...settings, certificate, domainName, tags }), call);
      },
    },
    GetDomainName: {
      authorize: (input, call) => may("GET", call, `/domainnames/${input.DomainName}`),
      run: async (input, call) => describe(await domains.get(call, input.DomainName), call),
    },
    GetDomainNames: {
      authorize: (_input, call) => may("GET", call, "/domainnames"),
      run: async (input, call) => {
        const found = await domains.list(call);
        const page = pageOf(found, (domain) => domain.domainName, input.MaxResults, input.NextToken);
        return { ...page, Items: page.Items.map((domain) => describe(domain, call)) };
      },
    },
    UpdateDomainName: {
      authorize: (input, call) => may("PATCH", call, `/domainnames/${input.DomainName}`),
      run: async (input, call) => {
        const updated = await domains.update(call, input.DomainName, (before) => {
          const [configuration] = input.DomainNameConfigurations ?? [];
          const mutual = input.MutualTlsAuthentication;
          const { certificate = before.certificate, ...settings } = parseSettings("UpdateDomainName", {
            RoutingMode: input.RoutingMode ?? modeNames[before.routingMode],
            DomainNameConfigurations: [
              {
                EndpointType: before.endpointType,
                IpAddressType: before.ipAddressType,
                OwnershipVerificationCertificateArn: before.ownershipCertificateArn,
                ...withoutUndefined(configuration ?? {}),
              },
            ],
            // AWS: an empty address turns mutual TLS off.
            MutualTlsAuthentication: mutual ?? {
              TruststoreUri: before.truststore?.uri,
              TruststoreVersion: before.truststore?.version,
            },
          });
          return { ...settings, certificate };
        });
        return describe(updated, call);
      },
    },
    DeleteDomainName: {
      authorize: (input, call) => may("DELETE", call, `/domainnames/${input.DomainName}`),
      run: async (input, call) => {
        await domains.remove(call, input.DomainName);
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

/** Throws BadRequestException, and 501 for what is not built. */
function parseSettings(
  operation: string,
  input: Pick<sdk.CreateDomainNameRequest, "DomainNameConfigurations" | "MutualTlsAuthentication"> & {
    readonly RoutingMode?: string | undefined;
  },
): Omit<DomainSettings, "certificate"> & { certificate?: Extract<DomainSettings["certificate"], { kind: "named" }> } {
  const configurations = input.DomainNameConfigurations ?? [];
  const [configuration = {}] = configurations;
  if (configurations.length > 1) throw badRequest("Only one domain name configuration is supported");
  const { CertificateArn: arn, CertificateName: name, SecurityPolicy, EndpointType = "REGIONAL" } = configuration;
  if (SecurityPolicy !== undefined && SecurityPolicy !== "TLS_1_2") {
    throw notImplemented(`${operation} with SecurityPolicy ${SecurityPolicy}`);
  }
  if (EndpointType !== "REGIONAL" && EndpointType !== "EDGE") throw badRequest(`Invalid endpoint type ${EndpointType}`);
  const { TruststoreUri, TruststoreVersion } = input.MutualTlsAuthentication ?? {};
  if (TruststoreVersion && !TruststoreUri) throw badRequest("TruststoreVersion needs a TruststoreUri");
  return {
    endpointType: EndpointType,
    ipAddressType: configuration.IpAddressType === "dualstack" ? "dualstack" : "ipv4",
    routingMode: parseRoutingMode(input.RoutingMode),
    ...(arn ? { certificate: { kind: "named", arn, ...(name === undefined ? {} : { name }) } } : {}),
    ...(configuration.OwnershipVerificationCertificateArn
      ? { ownershipCertificateArn: configuration.OwnershipVerificationCertificateArn }
      : {}),
    ...(TruststoreUri
      ? { truststore: { uri: TruststoreUri, ...(TruststoreVersion ? { version: TruststoreVersion } : {}) } }
      : {}),
  };
}

const modes = {
  API_MAPPING_ONLY: "mappings",
  ROUTING_RULE_ONLY: "rules",
  ROUTING_RULE_THEN_API_MAPPING: "rules-then-mappings",
} as const;

const modeNames = {
  mappings: "API_MAPPING_ONLY",
  rules: "ROUTING_RULE_ONLY",
  "rules-then-mappings": "ROUTING_RULE_THEN_API_MAPPING",
} as const;

function parseRoutingMode(mode: string | undefined): DomainSettings["routingMode"] {
  if (mode === undefined) return "mappings";
  const found = Object.entries(modes).find(([name]) => name === mode)?.[1];
  if (found === undefined) throw badRequest(`Invalid routing mode ${mode}`);
  return found;
}

function withoutUndefined<T extends object>(value: T): Partial<T> {
  return Object.assign(
    {},
    ...Object.entries(value).map(([key, member]) => (member === undefined ? {} : { [key]: member })),
  );
}

function describeDomain(record: DomainRecord, { domainName, hostedZoneId }: DomainTarget) {
  const { certificate, truststore, trusted } = record;
  return {
    ApiMappingSelectionExpression: "$request.basepath",
    DomainName: record.domainName,
    DomainNameArn: `arn:aws:apigateway:${record.region}::/domainnames/${record.domainName}`,
    DomainNameConfigurations: [
      {
        ApiGatewayDomainName: domainName,
        ...(certificate.kind === "named" ? { CertificateArn: certificate.arn } : {}),
        ...(certificate.name === undefined ? {} : { CertificateName: certificate.name }),
        ...(certificate.kind === "uploaded" ? { CertificateUploadDate: wholeSecond(certificate.uploadedAt) } : {}),
        DomainNameStatus: "AVAILABLE" as const,
        EndpointType: record.endpointType,
        ...(hostedZoneId === undefined ? {} : { HostedZoneId: hostedZoneId }),
        IpAddressType: record.ipAddressType,
        SecurityPolicy: "TLS_1_2" as const,
        ...(record.ownershipCertificateArn === undefined
          ? {}
          : { OwnershipVerificationCertificateArn: record.ownershipCertificateArn }),
      },
    ],
    ...(truststore === undefined
      ? {}
      : {
          MutualTlsAuthentication: {
            TruststoreUri: truststore.uri,
            ...(truststore.version === undefined ? {} : { TruststoreVersion: truststore.version }),
            ...(trusted === undefined || trusted.warnings.length === 0
              ? {}
              : { TruststoreWarnings: [...trusted.warnings] }),
          },
        }),
    RoutingMode: modeNames[record.routingMode],
    Tags: { ...record.tags },
  };
}
