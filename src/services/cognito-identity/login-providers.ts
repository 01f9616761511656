import { providerAlgorithms, verifyToken } from "../../access/tokens/token.ts";
import { parseArn } from "../../aws/arn.ts";
import type { CognitoIdentityNeeds, LoginProviders, VerifiedLogin } from "./needs.ts";

/** Verifies logins: those of this platform's user pools in process, all others with their issuers' published keys. */
export function createLoginProviders(
  needs: Pick<CognitoIdentityNeeds, "clock" | "issuers" | "iam" | "userPools">,
): LoginProviders {
  const { clock, issuers, iam, userPools } = needs;

  const verify = async (issuer: string, token: string, algorithms?: readonly string[]): Promise<VerifiedLogin> => {
    const verified = await verifyToken(issuers, [issuer], token, clock.now(), algorithms);
    if (verified.outcome === "verified") return { claims: verified.claims };
    switch (verified.cause) {
      case "expired":
        return { refused: "Token expired" };
      case "untrusted":
        return { refused: "Issuer doesn't match providerName" };
      case "issuer":
        return { refused: "Couldn't verify signed token." };
      default:
        return { refused: "Not a valid OpenId Connect identity token." };
    }
  };

  return {
    verifyUserPool: async (userPoolId, token, live) => {
      const region = userPoolId.slice(0, userPoolId.indexOf("_"));
      const verified = await verify(`https://cognito-idp.${region}.amazonaws.com/${userPoolId}`, token);
      if ("refused" in verified || !live || verified.claims["token_use"] !== "id") return verified;
      const found = await userPools.verifyIdToken(token, clock.now());
      return found === undefined ? { refused: "Token is revoked or its user is not enabled." } : verified;
    },
    verifyIssuer: (issuer, token) => verify(issuer, token, providerAlgorithms),
    findOpenIdProvider: async (arn) => {
      const parsed = parseArn(arn);
      if (parsed === undefined) return undefined;
      const name = parsed.resource.slice("oidc-provider/".length);
      for (const issuer of [`https://${name}`, `http://${name}`]) {
        const found = await iam.findOidcProvider(parsed.account, issuer);
        if (found !== undefined) return { issuer, clientIds: found.clientIds };
      }
      return undefined;
    },
  };
}
