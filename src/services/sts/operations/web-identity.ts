import type { RequestEnvironment } from "../../../access/authorization.ts";
import { hasAudience, providerAlgorithms, verifyToken, type Claims } from "../../../access/tokens/token.ts";
import { parseArn } from "../../../aws/arn.ts";
import { notImplemented } from "../../../aws/error.ts";
import type { WebIdentity } from "../../../aws/principal.ts";
import type { Call } from "../../../wire/service.ts";
import { issue } from "../credentials.ts";
import { accessDenied, expiredIdentityToken, invalidIdentityToken, validationError } from "../errors.ts";
import { stsLimits } from "../limits.ts";
import { present, type StsNeeds, type StsOperations } from "../needs.ts";
import type { StsPort } from "../port.ts";
import { providerClaimKeys } from "../provider-claims.ts";
import { checkDuration, toAssumedRole, toTrustRequests } from "../role-sessions.ts";
import { checkSessionPolicies } from "../session-policies.ts";
import { joinTags } from "../session-tags.ts";
import { readSessionClaims } from "../token-claims.ts";

/** Issuers that roles trust by name, without a provider of the account. */
const knownIssuers: Readonly<Record<string, string>> = {
  "https://cognito-identity.amazonaws.com": "cognito-identity.amazonaws.com",
  "https://accounts.google.com": "accounts.google.com",
};

/** AssumeRoleWithWebIdentity: a token of an issuer that the role's account trusts. */
export function webIdentityOperations(needs: StsNeeds, port: StsPort) {
  return {
    AssumeRoleWithWebIdentity: {
      // The caller has signed nothing: its token is what the trust policy is asked about.
      authorize: () => [],
      run: async (input, call) => {
        for (const name of ["ProviderId", "MinimumSessionTokenSize"] as const) {
          if (input[name] !== undefined) {
            throw notImplemented(`The parameter ${name} of AssumeRoleWithWebIdentity`);
          }
        }
        const roleArn = present(input.RoleArn);
        const arn = parseArn(roleArn);
        if (arn?.service !== "iam" || !arn.resource.startsWith("role/")) throw validationError(`${roleArn} is invalid`);
        const { identity, claims } = await verify(needs, arn.account, present(input.WebIdentityToken), call.now);
        const session = await port.assumeRoleWithWebIdentity(
          {
            roleArn,
            sessionName: present(input.RoleSessionName),
            identity,
            context: providerClaimKeys(nameOf(String(claims["iss"])), claims),
            ...readSessionClaims(claims),
            ...(input.DurationSeconds !== undefined && { durationSeconds: input.DurationSeconds }),
            ...(input.Policy !== undefined && { policy: input.Policy }),
            ...(input.PolicyArns && { policyArns: input.PolicyArns.map(({ arn: each }) => present(each)) }),
          },
          call,
        );
        const { sourceIdentity } = readSessionClaims(claims);
        return {
          Credentials: session.credentials,
          SubjectFromWebIdentityToken: String(claims["sub"]),
          AssumedRoleUser: { AssumedRoleId: session.assumedRoleId, Arn: session.arn },
          Provider: identity.provider,
          Audience: textsOf(claims["aud"])[0],
          ...((input.Policy !== undefined || input.PolicyArns) && { PackedPolicySize: session.packedPercent }),
          ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
        };
      },
    },
  } satisfies StsOperations;
}

export function createStsPort({ iam, sessions, authorizer }: StsNeeds): StsPort {
  return {
    assumeRoleWithWebIdentity: async (request, call) => {
      const { roleArn, sessionName, identity, sourceIdentity } = request;
      const role = await iam.findRole(roleArn);
      const tags = request.tags ?? {};
      const transitive = request.transitiveTagKeys ?? [];
      const asked = toTrustRequests(
        {
          action: "sts:AssumeRoleWithWebIdentity",
          roleArn,
          sessionName,
          tags,
          transitive,
          isTagged: Object.keys(tags).length > 0,
          sourceIdentity,
          context: request.context ?? {},
        },
        role,
      );
      const account = parseArn(roleArn)?.account ?? "";
      const environment = toEnvironment(account, call);
      for (const each of asked) await authorizer.authorize({ type: "webIdentity", ...identity }, each, environment);
      if (!role) throw accessDenied("Not authorized to perform sts:AssumeRoleWithWebIdentity");
      const seconds = checkDuration(request.durationSeconds ?? stsLimits.assumeRoleSecondsDefault, role);
      const sessionPolicies = checkSessionPolicies(account, {
        Policy: request.policy,
        PolicyArns: request.policyArns?.map((arn) => ({ arn })),
      });
      const principal = toAssumedRole(role, sessionName, {
        sessionPolicies,
        ...joinTags(tags, transitive, {}),
        ...(sourceIdentity !== undefined && { sourceIdentity }),
        webIdentity: identity,
      });
      const { credentials, percent } = issue(sessions, principal, call.now, seconds);
      return {
        assumedRoleId: `${role.roleId}:${sessionName}`,
        arn: principal.arn,
        packedPercent: percent,
        credentials,
      };
    },
  };
}

async function verify(
  { iam, issuers }: StsNeeds,
  account: string,
  token: string,
  now: number,
): Promise<{ readonly identity: WebIdentity; readonly claims: Claims }> {
  const issuer = issuerOf(token);
  const known = Object.hasOwn(knownIssuers, issuer) ? knownIssuers[issuer] : undefined;
  const trusted = known === undefined ? await iam.findOidcProvider(account, issuer) : undefined;
  if (known === undefined && !trusted) {
    throw invalidIdentityToken(`No OpenIDConnect provider found in your account for ${issuer}`);
  }
  const outcome = await verifyToken(issuers, [issuer], token, now, providerAlgorithms);
  if (outcome.outcome === "refused") {
    switch (outcome.cause) {
      case "expired":
        throw expiredIdentityToken(Math.floor(now / 1000), expiryOf(token));
      case "issuer":
      case "key":
        throw invalidIdentityToken(
          "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
        );
      case "signature":
        throw invalidIdentityToken("The ID Token's signature is invalid");
      default:
        throw invalidIdentityToken(`The ID Token provided is not valid: ${outcome.reason}`);
    }
  }
  const { claims } = outcome;
  if (typeof claims["sub"] !== "string") throw invalidIdentityToken("Missing a required claim: sub");
  if (trusted && !hasAudience({ ...claims, client_id: undefined }, trusted.clientIds)) {
    throw invalidIdentityToken("Incorrect token audience");
  }
  const name = nameOf(issuer);
  return { claims, identity: { provider: trusted?.arn ?? name, context: toContext(name, claims) } };
}

/** How condition keys name an issuer. */
function nameOf(issuer: string): string {
  return issuer.replace(/^https?:\/\//, "").replace(/\/$/, "");
}

/** Condition keys: what trust policies compare, and the policies of the role later on. */
function toContext(name: string, claims: Claims): Record<string, readonly string[]> {
  const context: Record<string, readonly string[]> = {};
  const set = (key: string, values: readonly string[]) => {
    if (values.length > 0) context[`${name}:${key}`.toLowerCase()] = values;
  };
  set("sub", textsOf(claims["sub"]));
  set("amr", textsOf(claims["amr"]));
  // AWS: where Google says for whom else a token was made, that is its audience.
  const { azp } = claims;
  if (name === "accounts.google.com" && typeof azp === "string") {
    set("aud", [azp]);
    set("oaud", textsOf(claims["aud"]));
  } else set("aud", textsOf(claims["aud"]));
  return context;
}

/** Read before anything is verified: only to find who is to verify it. */
function issuerOf(token: string): string {
  const { iss } = unverified(token);
  if (typeof iss !== "string") {
    throw invalidIdentityToken(
      "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
    );
  }
  return iss;
}

function expiryOf(token: string): number {
  return Number(unverified(token)["exp"] ?? 0);
}

function unverified(token: string): Claims {
  try {
    const value: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function textsOf(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((each) => typeof each === "string");
}

function toEnvironment(account: string, call: Pick<Call, "now" | "region" | "http">): RequestEnvironment {
  return {
    account,
    region: call.region,
    sourceIp: call.http?.sourceIp ?? "127.0.0.1",
    secureTransport: call.http?.secure ?? true,
    userAgent: call.http?.headers["user-agent"] ?? "",
    now: call.now,
    service: "sts",
  };
}
