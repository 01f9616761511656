import type { AuthorizationRequest } from "../../access/authorization.ts";
import { parseArn } from "../../aws/arn.ts";
import type { Principal } from "../../aws/principal.ts";
import type { AssumableRole } from "../iam/port.ts";
import { validationError } from "./errors.ts";
import { sessionTagContext } from "./session-tags.ts";

type AssumedRole = Extract<Principal, { type: "assumedRole" }>;

/** What is asked about a role's session, however it is asked for. */
interface RoleSessionRequest {
  readonly action: "sts:AssumeRole" | "sts:AssumeRoleWithWebIdentity";
  readonly roleArn: string;
  readonly sessionName: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly transitive: readonly string[];
  /** Whether the session will have tags, of its own or of the session before. */
  readonly isTagged: boolean;
  readonly sourceIdentity: string | undefined;
  readonly context: Readonly<Record<string, readonly string[]>>;
}

/** The trust policy must allow it; a role that does not exist is refused in the same words. */
export function toTrustRequests(
  asked: RoleSessionRequest,
  role: AssumableRole | undefined,
): readonly AuthorizationRequest[] {
  const arn = parseArn(asked.roleArn);
  if (!arn || arn.service !== "iam" || !arn.resource.startsWith("role/")) {
    throw validationError(`${asked.roleArn} is invalid`);
  }
  const context: Record<string, readonly string[]> = {
    ...asked.context,
    "sts:RoleSessionName": [asked.sessionName],
    ...(asked.sourceIdentity !== undefined && { "sts:SourceIdentity": [asked.sourceIdentity] }),
    ...sessionTagContext(asked.tags, asked.transitive),
  };
  for (const [key, value] of Object.entries(role?.tags ?? {})) {
    context[`aws:ResourceTag/${key}`] = [value];
    context[`iam:ResourceTag/${key}`] = [value];
  }
  const assume = {
    action: asked.action,
    resource: asked.roleArn,
    resourceAccount: arn.account,
    resourcePolicyRequired: true,
    context,
    ...(role && { resourcePolicy: role.trustPolicy }),
  };
  return [
    assume,
    ...(asked.isTagged ? [{ ...assume, action: "sts:TagSession" }] : []),
    ...(asked.sourceIdentity === undefined ? [] : [{ ...assume, action: "sts:SetSourceIdentity" }]),
  ];
}

export function checkDuration(seconds: number, role: AssumableRole): number {
  if (seconds > role.maxSessionSeconds) {
    throw validationError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
  }
  return seconds;
}

export function toAssumedRole(
  role: AssumableRole,
  sessionName: string,
  more: Omit<AssumedRole, "type" | "account" | "arn" | "roleArn" | "roleId" | "sessionName" | "accessKeyId">,
): AssumedRole {
  const account = parseArn(role.roleArn)?.account ?? "";
  return {
    type: "assumedRole",
    account,
    arn: `arn:aws:sts::${account}:assumed-role/${role.roleName}/${sessionName}`,
    roleArn: role.roleArn,
    roleId: role.roleId,
    sessionName,
    accessKeyId: "",
    ...more,
  };
}
