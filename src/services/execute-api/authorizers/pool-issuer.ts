import { parseArn } from "../../../aws/arn.ts";

/**
 * The issuer of a user pool's tokens: what the operator has named for its ARN, else the pool's own on AWS.
 *
 * @param named issuers by the ARNs of pools
 */
export function poolIssuers(named: Readonly<Record<string, string>>): (providerArn: string) => string | undefined {
  return (providerArn) => {
    if (Object.hasOwn(named, providerArn)) return named[providerArn];
    const arn = parseArn(providerArn);
    const poolId = /^userpool\/([\w-]+)$/.exec(arn?.resource ?? "")?.[1];
    if (arn?.service !== "cognito-idp" || poolId === undefined) return undefined;
    return `https://cognito-idp.${arn.region}.amazonaws.com/${poolId}`;
  };
}
