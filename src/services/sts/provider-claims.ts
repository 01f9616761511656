import type { ConditionKeys } from "../../access/further-keys.ts";
import type { Claims } from "../../access/tokens/token.ts";

const github =
  "actor actor_id enterprise_id environment job_workflow_ref ref repository repository_id repository_owner_id workflow";
const buildkite = "build_branch cluster_id cluster_name organization_id organization_slug pipeline_id pipeline_slug";

/** Providers, by name, of whose tokens AWS knows more than `sub`, `aud` and `amr`. Source: Service Authorization Reference, STS. */
const providers: readonly (readonly [name: RegExp, claims: string])[] = [
  [/^token\.actions\.githubusercontent\.com(?:\/[^/]+)?$/, github],
  [/^token\.actions\.[\w-]+\.ghe\.com$/, github],
  [/^github\.com\/enterprises\/[^/]+$/, github],
  [
    /^gitlab\.com$/,
    "namespace_id pipeline_source project_id ref_protected runner_environment user_access_level user_email user_id user_login",
  ],
  [/^agent\.buildkite\.com$/, buildkite],
  [/^agent\.[\w-]+\.buildkite\.(?:dev|site)$/, buildkite],
  [/^oidc\.circleci\.com\/org\/[^/]+$/, "oidc.circleci.com/project-id"],
  [/^idcs-[\w-]+\.identity\.oraclecloud\.com$/, "rpst_id"],
  [/^accounts\.google\.com$/, "google/organization_number"],
];

/** Condition keys of a provider's own claims. AWS: only the trust policy sees them, not the policies of the session. */
export function providerClaimKeys(name: string, claims: Claims): ConditionKeys {
  const [, listed = ""] = providers.find(([pattern]) => pattern.test(name)) ?? [];
  const found = listed.split(" ").flatMap((claim) => {
    const value = claimOf(claims, claim);
    return value === undefined ? [] : [[`${name}:${claim}`, [value]] as const];
  });
  return Object.fromEntries(found);
}

/** Google's are within one claim. */
function claimOf(claims: Claims, name: string): string | undefined {
  const { google } = claims;
  const isWithin = name.startsWith("google/") && typeof google === "object" && google !== null;
  const within: Claims = isWithin ? { ...google } : claims;
  const key = isWithin ? name.slice("google/".length) : name;
  const value = Object.hasOwn(within, key) ? within[key] : undefined;
  return ["string", "number", "boolean"].includes(typeof value) ? String(value) : undefined;
}
