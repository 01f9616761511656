import type * as sdk from "@aws-sdk/client-api-gateway";
import { notImplemented } from "../../../aws/error.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import type { DomainRecord, DomainSettings, DomainTarget, NewDomain } from "../../execute-api/port.ts";
import { may } from "../authorize.ts";
import { badRequest } from "../errors.ts";
import { applyPatch, type PatchTable } from "../patch.ts";
import { checkTags, pageOf, refuseMembers, wholeSecond } from "../rules.ts";
import type { ApiGatewayNeeds } from "./needs.ts";

const refused = ["domainNameId", "policy"];

/** What CreateDomainName and the patches of UpdateDomainName say, before it is checked as a whole. */
interface Wanted {
  readonly certificateArn?: string | undefined;
  readonly certificateName?: string | undefined;
  readonly regionalCertificateArn?: string | undefined;
  readonly regionalCertificateName?: string | undefined;
  readonly type?: string | undefined;
  readonly ipAddressType?: string | undefined;
  readonly securityPolicy?: string | undefined;
  readonly endpointAccessMode?: string | undefined;
  readonly routingMode?: string | undefined;
  readonly truststoreUri?: string | undefined;
  readonly truststoreVersion?: string | undefined;
  readonly ownershipVerificationCertificateArn?: string | undefined;
}

export function domainNameOperations(needs: ApiGatewayNeeds) {
  const { domains } = needs;
  const describe = (record: DomainRecord, call: Call) => describeDomain(record, domains.target(record, call.endpoint));
  return {
    CreateDomainName: {
      authorize: (_input, call) => may("POST", call, "/domainnames"),
      run: async (input, call) => {
        refuseMembers("CreateDomainName", input, refused);
        const { endpointConfiguration, mutualTlsAuthentication } = input;
        if (endpointConfiguration !== undefined)
          refuseMembers("CreateDomainName endpointConfiguration", endpointConfiguration, ["vpcEndpointIds"]);
        const settings = parseSettings("CreateDomainName", {
          ...input,
          type: endpointConfiguration?.types?.[0],
          ipAddressType: endpointConfiguration?.ipAddressType,
          truststoreUri: mutualTlsAuthentication?.truststoreUri,
          truststoreVersion: mutualTlsAuthentication?.truststoreVersion,
        });
        const { certificateBody, certificatePrivateKey } = input;
        let certificate: NewDomain["certificate"] | undefined = settings.certificate;
        if (certificateBody !== undefined || certificatePrivateKey !== undefined) {
          if (certificate !== undefined)
            throw badRequest("A certificate is given either by its ARN or with its body and private key");
          certificate = {
            name: input.certificateName ?? input.regionalCertificateName,
            body: certificateBody ?? "",
            privateKey: certificatePrivateKey ?? "",
            chain: input.certificateChain,
          };
        }
        if (certificate === undefined) throw badRequest("A certificate was not provided for the endpoint type");
        const domainName = input.domainName ?? "";
        const tags = checkTags(input.tags ?? {});
        return describe(await domains.create(call, { ...settings, certificate, domainName, tags }), call);
      },
    },
    GetDomainName: {
      authorize: (input, call) => may("GET", call, `/domainnames/${input.domainName}`),
      run: async (input, call) => {
        refuseMembers("GetDomainName", input, refused);
        return describe(await domains.get(call, input.domainName), call);
      },
    },
    GetDomainNames: {
      authorize: (_input, call) => may("GET", call, "/domainnames"),
      run: async (input, call) => {
        if (input.resourceOwner === "OTHER_ACCOUNTS") throw notImplemented("GetDomainNames of other accounts");
        const page = pageOf(await domains.list(call), (domain) => domain.domainName, input.limit, input.position);
        return { ...page, items: page.items.map((domain) => describe(domain, call)) };
      },
    },
    UpdateDomainName: {
      authorize: (input, call) => may("PATCH", call, `/domainnames/${input.domainName}`),
      run: async (input, call) => {
        refuseMembers("UpdateDomainName", input, refused);
        const updated = await domains.update(call, input.domainName, (before) => {
          const patched = applyPatch(toWanted(before), input.patchOperations, patches);
          const { certificate = before.certificate, ...settings } = parseSettings("UpdateDomainName", patched);
          return { ...settings, certificate };
        });
        return describe(updated, call);
      },
    },
    DeleteDomainName: {
      authorize: (input, call) => may("DELETE", call, `/domainnames/${input.domainName}`),
      run: async (input, call) => {
        refuseMembers("DeleteDomainName", input, refused);
        await domains.remove(call, input.domainName);
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

const patches: PatchTable<Wanted> = [
  ...(
    [
      "certificateArn",
      "certificateName",
      "regionalCertificateArn",
      "regionalCertificateName",
      "securityPolicy",
      "endpointAccessMode",
      "routingMode",
      "ownershipVerificationCertificateArn",
    ] as const
  ).map((name) => ({
    path: new RegExp(`^/${name}$`),
    apply: { replace: (wanted: Wanted, value: string) => ({ ...wanted, [name]: value }) },
  })),
  {
    path: /^\/endpointConfiguration\/types\/(?:EDGE|REGIONAL|0)$/,
    apply: { replace: (wanted, type) => ({ ...wanted, type }) },
  },
  {
    path: /^\/endpointConfiguration\/ipAddressType$/,
    apply: { replace: (wanted, ipAddressType) => ({ ...wanted, ipAddressType }) },
  },
  {
    // AWS: an empty address turns mutual TLS off.
    path: /^\/mutualTlsAuthentication\/truststoreUri$/,
    apply: {
      replace: (wanted, value) => ({ ...wanted, truststoreUri: value === "" ? undefined : value }),
      remove: (wanted) => ({ ...wanted, truststoreUri: undefined, truststoreVersion: undefined }),
    },
  },
  {
    path: /^\/mutualTlsAuthentication\/truststoreVersion$/,
    apply: {
      replace: (wanted, value) => ({ ...wanted, truststoreVersion: value === "" ? undefined : value }),
      remove: (wanted) => ({ ...wanted, truststoreVersion: undefined }),
    },
  },
];

/** Throws BadRequestException, and 501 for what is not built. */
function parseSettings(
  operation: string,
  wanted: Wanted,
): Omit<DomainSettings, "certificate"> & { certificate?: Extract<DomainSettings["certificate"], { kind: "named" }> } {
  const endpointType = parseType(operation, wanted.type);
  const isRegional = endpointType === "REGIONAL";
  const arn = isRegional ? wanted.regionalCertificateArn : wanted.certificateArn;
  const name = isRegional ? wanted.regionalCertificateName : wanted.certificateName;
  if (!arn && (isRegional ? wanted.certificateArn : wanted.regionalCertificateArn)) {
    throw badRequest(
      `${isRegional ? "regionalCertificateArn" : "certificateArn"} must be given for the endpoint type ${endpointType}`,
    );
  }
  if (wanted.securityPolicy && wanted.securityPolicy !== "TLS_1_2") {
    throw notImplemented(`${operation} with securityPolicy ${wanted.securityPolicy}`);
  }
  if (wanted.endpointAccessMode && wanted.endpointAccessMode !== "BASIC") {
    throw notImplemented(`${operation} with endpointAccessMode ${wanted.endpointAccessMode}`);
  }
  if (wanted.truststoreVersion && !wanted.truststoreUri) throw badRequest("truststoreVersion needs a truststoreUri");
  return {
    endpointType,
    ipAddressType: wanted.ipAddressType === "dualstack" ? "dualstack" : "ipv4",
    routingMode: parseRoutingMode(wanted.routingMode),
    ...(arn ? { certificate: { kind: "named", arn, ...(name === undefined ? {} : { name }) } } : {}),
    ...(wanted.ownershipVerificationCertificateArn
      ? { ownershipCertificateArn: wanted.ownershipVerificationCertificateArn }
      : {}),
    ...(wanted.truststoreUri
      ? {
          truststore: {
            uri: wanted.truststoreUri,
            ...(wanted.truststoreVersion ? { version: wanted.truststoreVersion } : {}),
          },
        }
      : {}),
  };
}

function parseType(operation: string, type: string | undefined): DomainSettings["endpointType"] {
  if (type === undefined || type === "EDGE") return "EDGE";
  if (type === "REGIONAL") return type;
  if (type === "PRIVATE") throw notImplemented(`${operation} with a PRIVATE endpoint`);
  throw badRequest(`Invalid endpoint type ${type}`);
}

const modes = {
  BASE_PATH_MAPPING_ONLY: "mappings",
  ROUTING_RULE_ONLY: "rules",
  ROUTING_RULE_THEN_BASE_PATH_MAPPING: "rules-then-mappings",
} as const;

function parseRoutingMode(mode: string | undefined): DomainSettings["routingMode"] {
  if (mode === undefined || mode === "") return "mappings";
  const found = Object.entries(modes).find(([name]) => name === mode)?.[1];
  if (found === undefined) throw badRequest(`Invalid routing mode ${mode}`);
  return found;
}

const modeNames = {
  mappings: "BASE_PATH_MAPPING_ONLY",
  rules: "ROUTING_RULE_ONLY",
  "rules-then-mappings": "ROUTING_RULE_THEN_BASE_PATH_MAPPING",
} as const;

function toWanted(record: DomainRecord): Wanted {
  const { certificate, truststore } = record;
  const named = certificate.kind === "named" ? certificate : undefined;
  const isRegional = record.endpointType === "REGIONAL";
  return {
    ...(isRegional
      ? { regionalCertificateArn: named?.arn, regionalCertificateName: certificate.name }
      : { certificateArn: named?.arn, certificateName: certificate.name }),
    type: record.endpointType,
    ipAddressType: record.ipAddressType,
    routingMode: modeNames[record.routingMode],
    truststoreUri: truststore?.uri,
    truststoreVersion: truststore?.version,
    ownershipVerificationCertificateArn: record.ownershipCertificateArn,
  };
}

function describeDomain(record: DomainRecord, target: DomainTarget) {
  const { certificate, endpointType, domainName } = record;
  return {
    domainName,
    domainNameArn: `arn:aws:apigateway:${record.region}::/domainnames/${domainName}`,
    ...describeEndpoint(record, target),
    ...(certificate.kind === "uploaded" ? { certificateUploadDate: wholeSecond(certificate.uploadedAt) } : {}),
    endpointConfiguration: { types: [endpointType], ipAddressType: record.ipAddressType },
    domainNameStatus: "AVAILABLE" as const,
    securityPolicy: "TLS_1_2" as const,
    ...(Object.keys(record.tags).length === 0 ? {} : { tags: { ...record.tags } }),
    ...describeTruststore(record),
    ...(record.ownershipCertificateArn === undefined
      ? {}
      : { ownershipVerificationCertificateArn: record.ownershipCertificateArn }),
    routingMode: modeNames[record.routingMode],
  };
}

function describeEndpoint(record: DomainRecord, { domainName, hostedZoneId }: DomainTarget) {
  const { certificate } = record;
  const arn = certificate.kind === "named" ? certificate.arn : undefined;
  const { name } = certificate;
  if (record.endpointType === "EDGE") {
    return {
      ...(arn === undefined ? {} : { certificateArn: arn }),
      ...(name === undefined ? {} : { certificateName: name }),
      distributionDomainName: domainName,
      ...(hostedZoneId === undefined ? {} : { distributionHostedZoneId: hostedZoneId }),
    };
  }
  return {
    ...(arn === undefined ? {} : { regionalCertificateArn: arn }),
    ...(name === undefined ? {} : { regionalCertificateName: name }),
    regionalDomainName: domainName,
    ...(hostedZoneId === undefined ? {} : { regionalHostedZoneId: hostedZoneId }),
  };
}

function describeTruststore({ truststore, trusted }: DomainRecord) {
  if (truststore === undefined) return {};
  return {
    mutualTlsAuthentication: {
      truststoreUri: truststore.uri,
      ...(truststore.version === undefined ? {} : { truststoreVersion: truststore.version }),
      ...(trusted === undefined || trusted.warnings.length === 0 ? {} : { truststoreWarnings: [...trusted.warnings] }),
    },
  };
}
