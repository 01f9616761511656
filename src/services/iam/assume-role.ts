import { toContext } from "../../access/context.ts";
import { accessDenied } from "../../access/errors.ts";
import type { PolicyCompiler } from "../../access/policy/compile.ts";
import { evaluate } from "../../access/policy/evaluate.ts";
import type { Seal } from "../../access/server-keys.ts";
import type { Sessions } from "../../access/sessions.ts";
import { parseArn } from "../../aws/arn.ts";
import type { Principal } from "../../aws/principal.ts";
import type { Store } from "../../kernel/store/store.ts";
import { toRoleName } from "./identities.ts";
import { takeCode } from "./mfa/devices.ts";
import { accessKeyKey, readEntity, type AccessKeyRecord, type Role } from "./model.ts";
import { oidcProviderArn, readOidcProvider } from "./oidc-providers.ts";
import type { IamPort } from "./port.ts";
import { resourceTagContext } from "./rules.ts";

type AssumedRole = Extract<Principal, { type: "assumedRole" }>;

export interface AssumeRoleNeeds {
  readonly store: Store;
  readonly compile: PolicyCompiler;
  readonly sessions: Sessions;
  readonly seal: Seal;
  readonly now: () => number;
}

export function createIamPort({ store, compile, sessions, seal, now }: AssumeRoleNeeds): IamPort {
  const findRole = async (roleArn: string): Promise<Role | undefined> => {
    const account = parseArn(roleArn)?.account ?? "";
    const role = await store.read((reader) => readEntity(reader, account, "role", toRoleName(roleArn)));
    return role?.arn === roleArn ? role : undefined;
  };
  return {
    assumeRole: async ({ roleArn, service, sessionName, sourceArn }) => {
      const principal: Principal = { type: "service", service, ...(sourceArn !== undefined && { sourceArn }) };
      const role = await findRole(roleArn);
      if (!role || !trusts(role, principal, compile, now())) {
        throw accessDenied("query", `${service} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`);
      }
      return toAssumedRole(role, sessionName, now());
    },
    issueCredentials: (principal, durationSeconds) => {
      const issuedAt = now();
      return sessions.issue(principal, issuedAt, issuedAt + durationSeconds * 1000);
    },
    findRole: async (roleArn) => {
      const role = await findRole(roleArn);
      return (
        role && {
          roleArn: role.arn,
          roleId: role.id,
          roleName: role.name,
          trustPolicy: role.trustPolicy,
          maxSessionSeconds: role.maxSessionSeconds,
          tags: role.tags,
        }
      );
    },
    findOidcProvider: async (account, issuer) => {
      const arn = oidcProviderArn(account, issuer);
      const provider = await store.read((reader) => readOidcProvider(reader, account, arn));
      // The scheme counts too: tokens say whom they are of in full.
      return provider?.url === issuer ? { arn, clientIds: provider.clientIds } : undefined;
    },
    takeMfaCode: (asked) => takeCode(store, seal, { ...asked, now: now() }),
    findKeyAccount: async (accessKeyId) =>
      (await store.read((reader) => reader.get<AccessKeyRecord>(accessKeyKey(accessKeyId))))?.account,
    passRole: (roleArn, service) => ({
      action: "iam:PassRole",
      resource: roleArn,
      resourceAccount: parseArn(roleArn)?.account ?? "",
      context: { "iam:PassedToService": [service] },
    }),
  };
}

function trusts(role: Role, principal: Principal, compile: PolicyCompiler, now: number): boolean {
  const account = parseArn(role.arn)?.account ?? "";
  const context = resourceTagContext(role.tags);
  const request = { action: "sts:AssumeRole", resource: role.arn, resourceAccount: account, context };
  const environment = { account, region: "", sourceIp: "", secureTransport: true, userAgent: "", now };
  const { decision } = evaluate({
    ...request,
    principal,
    context: toContext(principal, request, environment, {}),
    identityPolicies: [],
    permissionsBoundary: undefined,
    sessionPolicies: [],
    resourcePolicy: { name: role.arn, policy: compile(role.trustPolicy, "trust") },
    resourcePolicyRequired: true,
  });
  return decision === "allowed";
}

function toAssumedRole(role: Role, sessionName: string, tokenIssuedAt: number): AssumedRole {
  const account = parseArn(role.arn)?.account ?? "";
  return {
    type: "assumedRole",
    account,
    arn: `arn:aws:sts::${account}:assumed-role/${role.name}/${sessionName}`,
    roleArn: role.arn,
    roleId: role.id,
    sessionName,
    accessKeyId: "",
    sessionPolicies: [],
    sessionTags: {},
    tokenIssuedAt,
  };
}
