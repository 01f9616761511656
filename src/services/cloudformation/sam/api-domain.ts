import type { Context } from "./context.ts";
import { generate, type Generated } from "./generated.ts";
import { getAtt, ref } from "./intrinsics.ts";
import { hashedId, hashSuffix } from "./logical-ids.ts";
import { expectBoolean, expectMap, expectPresent, expectStrings, ofResource, resourceProblem } from "./problems.ts";
import { display, isAbsent, isDict, isGiven, isList, isString, type Dict } from "./values.ts";

/** Custom domains of APIs: the domain name, its base paths, and its DNS records. */

export interface Owner {
  readonly id: string;
  readonly inherited: Dict;
}

const restEndpoints = ["EDGE", "REGIONAL", "PRIVATE"];
const truststoreFields = ["TruststoreUri", "TruststoreVersion"];

export function restDomain(context: Context, owner: Owner, value: unknown): Generated[] {
  if (isAbsent(value)) return [];
  const culprit = ofResource(owner.id);
  const domain = expectMap(value, "Domain", culprit);
  const name = expectPresent(domain["DomainName"], "Domain.DomainName", culprit);
  const certificate = expectPresent(domain["CertificateArn"], "Domain.CertificateArn", culprit);
  const endpoint = isAbsent(domain["EndpointConfiguration"]) ? "REGIONAL" : domain["EndpointConfiguration"];
  if (!isString(endpoint) || !restEndpoints.includes(endpoint)) {
    throw resourceProblem(
      owner.id,
      `EndpointConfiguration for Custom Domains must be one of ${display(restEndpoints)}.`,
    );
  }
  const isPrivate = endpoint === "PRIVATE";
  const suffix = isPrivate ? "V2" : "";
  const domainId = hashedId(`ApiGatewayDomainName${suffix}`, name);
  const mapping = isPrivate ? { DomainNameArn: ref(domainId) } : { DomainName: ref(domainId) };
  const resource = generate(
    domainId,
    `AWS::ApiGateway::DomainName${suffix}`,
    {
      DomainName: name,
      [endpoint === "REGIONAL" ? "RegionalCertificateArn" : "CertificateArn"]: certificate,
      EndpointConfiguration: {
        Types: [endpoint],
        ...(isGiven(domain["IpAddressType"]) ? { IpAddressType: domain["IpAddressType"] } : {}),
      },
      ...(isPrivate ? {} : mutualTls(owner.id, domain["MutualTlsAuthentication"])),
      ...given(domain, [
        "SecurityPolicy",
        "EndpointAccessMode",
        isPrivate ? "Policy" : "OwnershipVerificationCertificateArn",
      ]),
    },
    owner.inherited,
  );
  const paths = basePaths(domain["BasePath"]);
  if (paths) expectStrings(paths, "Domain.BasePath", culprit);
  const normalize = Object.hasOwn(domain, "NormalizeBasePath") ? isGiven(domain["NormalizeBasePath"]) : true;
  const mappings = (paths ?? [undefined]).map((path) => {
    const text = isString(path) ? path : undefined;
    const plain = text === undefined ? "" : [...text].filter((character) => /[\p{L}\p{N}]/u.test(character)).join("");
    return generate(
      `${owner.id}${plain}BasePathMapping`,
      `AWS::ApiGateway::BasePathMapping${suffix}`,
      {
        ...mapping,
        RestApiId: ref(owner.id),
        Stage: ref(`${owner.id}.Stage`),
        ...(text === undefined ? {} : { BasePath: normalize ? plain : text }),
      },
      owner.inherited,
    );
  });
  const association = isPrivate ? accessAssociation(owner, domain["AccessAssociation"], domainId) : [];
  const records = restRecords(context, owner, domain, endpoint, domainId);
  return [resource, ...mappings, ...records, ...association];
}

function given(from: Dict, names: readonly string[]): Dict {
  return Object.fromEntries(names.filter((name) => isGiven(from[name])).map((name) => [name, from[name]]));
}

function basePaths(value: unknown): unknown[] | undefined {
  if (!isGiven(value)) return undefined;
  if (isString(value)) return [value];
  return isList(value) ? value : undefined;
}

function mutualTls(apiId: string, value: unknown): Dict {
  if (!isGiven(value)) return {};
  const settings = expectMap(value, "Domain.MutualTlsAuthentication", ofResource(apiId));
  if (Object.keys(settings).some((key) => !truststoreFields.includes(key))) {
    throw resourceProblem(apiId, `Available Domain.MutualTlsAuthentication fields are ${display(truststoreFields)}.`);
  }
  return { MutualTlsAuthentication: given(settings, truststoreFields) };
}

function accessAssociation(owner: Owner, value: unknown, domainId: string): Generated[] {
  if (isAbsent(value)) return [];
  const association = expectMap(value, "Domain.AccessAssociation", ofResource(owner.id));
  const endpoint = association["VpcEndpointId"];
  return [
    generate(
      hashedId("DomainNameAccessAssociation", [endpoint ?? null, domainId]),
      "AWS::ApiGateway::DomainNameAccessAssociation",
      {
        DomainNameArn: ref(domainId),
        AccessAssociationSourceType: "VPCE",
        AccessAssociationSource: endpoint,
      },
      owner.inherited,
    ),
  ];
}

function parseRoute53(apiId: string, value: unknown): Dict {
  const route53 = expectMap(value, "Domain.Route53", ofResource(apiId));
  if (isAbsent(route53["HostedZoneId"]) && isAbsent(route53["HostedZoneName"])) {
    throw resourceProblem(
      apiId,
      "HostedZoneId or HostedZoneName is required to enable Route53 support on Custom Domains.",
    );
  }
  return route53;
}

function restRecords(context: Context, owner: Owner, domain: Dict, endpoint: string, domainId: string): Generated[] {
  if (isAbsent(domain["Route53"])) return [];
  const route53 = parseRoute53(owner.id, domain["Route53"]);
  const target = restAliasTarget(route53, endpoint, domainId);
  const zone = isGiven(route53["HostedZoneId"]) ? route53["HostedZoneId"] : route53["HostedZoneName"];
  const separate = route53["SeparateRecordSetGroup"];
  if (isGiven(separate)) {
    expectBoolean(separate, "Domain.Route53.SeparateRecordSetGroup", ofResource(owner.id));
    return [
      generate(
        hashedId("RecordSetGroup", [zone, domain["DomainName"]]),
        "AWS::Route53::RecordSetGroup",
        { ...given(route53, ["HostedZoneId", "HostedZoneName"]), RecordSets: recordSets(domain, route53, target) },
        owner.inherited,
      ),
    ];
  }
  const zones = { HostedZoneId: route53["HostedZoneId"], HostedZoneName: route53["HostedZoneName"] };
  return [sharedRecords(context, owner, zone, zones, recordSets(domain, route53, target))];
}

/** Domains in one hosted zone share a group of records. */
function sharedRecords(context: Context, owner: Owner, zone: unknown, zones: Dict, records: Dict[]): Generated {
  const id = `RecordSetGroup${hashSuffix(zone)}`;
  const group =
    context.recordSetGroups.get(id) ??
    generate(id, "AWS::Route53::RecordSetGroup", { ...zones, RecordSets: [] }, owner.inherited);
  context.recordSetGroups.set(id, group);
  const existing = group.properties["RecordSets"];
  group.properties["RecordSets"] = [...(isList(existing) ? existing : []), ...records];
  return group;
}

function recordSets(domain: Dict, route53: Dict, target: Dict): Dict[] {
  const types = route53["IpV6"] === true ? ["A", "AAAA"] : ["A"];
  const routing = Object.fromEntries(
    ["Region", "SetIdentifier"].filter((name) => !isAbsent(route53[name])).map((name) => [name, route53[name]]),
  );
  return types.map((Type) => Object.assign({ Name: domain["DomainName"], Type, AliasTarget: target }, routing));
}

function restAliasTarget(route53: Dict, endpoint: string, domainId: string): Dict {
  const health = isAbsent(route53["EvaluateTargetHealth"])
    ? {}
    : { EvaluateTargetHealth: route53["EvaluateTargetHealth"] };
  switch (endpoint) {
    case "REGIONAL":
      return { ...health, ...regionalTarget(domainId) };
    case "EDGE":
      return {
        ...health,
        HostedZoneId: "Z2FDTNDATAQYW2",
        DNSName: route53["DistributionDomainName"] ?? getAtt(domainId, "DistributionDomainName"),
      };
    default:
      return {
        ...health,
        HostedZoneId: route53["VpcEndpointHostedZoneId"],
        DNSName: route53["VpcEndpointDomainName"],
      };
  }
}

const regionalTarget = (domainId: string): Dict => ({
  HostedZoneId: getAtt(domainId, "RegionalHostedZoneId"),
  DNSName: getAtt(domainId, "RegionalDomainName"),
});

/** The custom domain of an HTTP or WebSocket API. */
export function httpDomain(context: Context, owner: Owner, value: unknown, createdBy: Dict | undefined): Generated[] {
  if (isAbsent(value)) return [];
  const domain = isDict(value) ? value : {};
  const name = domain["DomainName"];
  if (isAbsent(name) || isAbsent(domain["CertificateArn"])) {
    throw resourceProblem(owner.id, "Custom Domains only works if both DomainName and CertificateArn are provided.");
  }
  const endpoint = domain["EndpointConfiguration"] ?? "REGIONAL";
  if (endpoint !== "REGIONAL") {
    throw resourceProblem(owner.id, "EndpointConfiguration for Custom Domains must be one of ['REGIONAL'].");
  }
  const domainId = hashedId("ApiGatewayDomainNameV2", name);
  const resource = generate(
    domainId,
    "AWS::ApiGatewayV2::DomainName",
    {
      DomainName: name,
      DomainNameConfigurations: [
        {
          CertificateArn: domain["CertificateArn"],
          EndpointType: endpoint,
          ...given(domain, ["OwnershipVerificationCertificateArn", "SecurityPolicy"]),
        },
      ],
      ...httpMutualTls(owner.id, domain["MutualTlsAuthentication"]),
      Tags: createdBy,
    },
    owner.inherited,
  );
  const mappings = (basePaths(domain["BasePath"]) ?? [undefined]).map((path) => apiMapping(owner, domainId, path));
  if (isAbsent(domain["Route53"])) return [resource, ...mappings];
  const route53 = parseRoute53(owner.id, domain["Route53"]);
  const health = isAbsent(route53["EvaluateTargetHealth"])
    ? {}
    : { EvaluateTargetHealth: route53["EvaluateTargetHealth"] };
  const zone = isGiven(route53["HostedZoneId"]) ? route53["HostedZoneId"] : route53["HostedZoneName"];
  const zones = Object.hasOwn(route53, "HostedZoneId") ? given(route53, ["HostedZoneId"]) : { HostedZoneName: zone };
  const records = recordSets(domain, route53, { ...health, ...regionalTarget(domainId) });
  return [resource, ...mappings, sharedRecords(context, owner, zone, zones, records)];
}

function httpMutualTls(apiId: string, value: unknown): Dict {
  if (!isGiven(value)) return {};
  if (!isDict(value)) {
    throw resourceProblem(
      apiId,
      `MutualTlsAuthentication must be a map with at least one of the following fields ${display(truststoreFields)}.`,
    );
  }
  const wrong = Object.keys(value).filter((key) => !truststoreFields.includes(key));
  if (wrong.length > 0) {
    // AWS: the message names the wrong fields where it should name the resource.
    throw resourceProblem(
      wrong.toSorted().join(","),
      `Available MutualTlsAuthentication fields are ${display(truststoreFields)}.`,
    );
  }
  return { MutualTlsAuthentication: given(value, truststoreFields) };
}

function apiMapping(owner: Owner, domainId: string, path: unknown): Generated {
  if (path !== undefined && !isString(path)) throw resourceProblem(owner.id, "Basepath must be a string.");
  if (path !== undefined && /[^0-9a-zA-Z/\-_]/.test(path)) {
    throw resourceProblem(owner.id, "Invalid Basepath name provided.");
  }
  return generate(
    `${owner.id}${(path ?? "").replace(/[-_/]+/g, "")}ApiMapping`,
    "AWS::ApiGatewayV2::ApiMapping",
    {
      DomainName: ref(domainId),
      ApiId: ref(owner.id),
      Stage: ref(`${owner.id}.Stage`),
      ...(path === undefined ? {} : { ApiMappingKey: path.replace(/^\/+|\/+$/g, "") }),
    },
    owner.inherited,
  );
}
