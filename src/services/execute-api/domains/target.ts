import type { DomainRecord, DomainTarget } from "./domain.ts";

/** The zone of all CloudFront distributions. Source: "Amazon CloudFront endpoints and quotas". */
const cloudFrontZone = "Z2FDTNDATAQYW2";

/** Source: "Amazon API Gateway endpoints and quotas". */
const regionalZones: Readonly<Record<string, string>> = {
  "us-east-1": "Z1UJRXOUMOOFQ8",
  "us-east-2": "ZOJJZC49E0EPZ",
  "us-west-1": "Z2MUQ32089INYE",
  "us-west-2": "Z2OJLYMUO9EFXC",
  "ca-central-1": "Z19DQILCV0OWEC",
  "eu-central-1": "Z1U9ULNL0V5AJ3",
  "eu-west-1": "ZLY8HYME6SFDD",
  "eu-west-2": "ZJ5UAJN8Y3Z2Q",
  "eu-west-3": "Z3KY65QIEKYHQQ",
  "eu-north-1": "Z3UWIKFBOOGXPP",
  "ap-south-1": "Z3VO1THU9YC4UR",
  "ap-northeast-1": "Z1YSHQZHG15GKL",
  "ap-northeast-2": "Z20JF4UZKIW1U8",
  "ap-southeast-1": "ZL327KTPIQFUL",
  "ap-southeast-2": "Z2RPCDW04V8134",
  "sa-east-1": "ZCMLWB8V5SYIT",
};

/** Regional targets are on this platform; a distribution's name is what it would be, since there is no CloudFront. */
export function targetOf(record: DomainRecord, endpoint: string): DomainTarget {
  if (record.endpointType === "EDGE") {
    return { domainName: `d${record.id}.cloudfront.net`, hostedZoneId: cloudFrontZone };
  }
  const { hostname } = new URL(endpoint);
  const suffix = /^[\d.]+$|^\[/.test(hostname) ? "localhost" : hostname;
  return {
    domainName: `d-${record.id}.execute-api.${record.region}.${suffix}`,
    hostedZoneId: regionalZones[record.region],
  };
}
