import type * as sdk from "@aws-sdk/client-sts";
import { missingAuthentication } from "../../access/errors.ts";
import { PolicyGrammarError, parsePolicyDocument } from "../../access/policy/document.ts";
import type { AuthorizationRequest } from "../../access/authorization.ts";
import { SessionTooLargeError, type SessionPrincipal, type Sessions } from "../../access/sessions.ts";
import { parseArn } from "../../aws/arn.ts";
import { notImplemented } from "../../aws/error.ts";
import type { Principal } from "../../aws/principal.ts";
import type { Call, InputOf, OperationsOf, Service } from "../../wire/service.ts";
import type { AssumableRole, IamPort } from "../iam/port.ts";
import { accessDenied, malformedPolicyDocument, packedPolicyTooLarge, validationError } from "./errors.ts";
import { stsLimits } from "./limits.ts";

type Sdk = typeof sdk;
type AssumeRoleInput = InputOf<Sdk, "AssumeRole">;

export interface StsNeeds {
  readonly iam: IamPort;
  readonly sessions: Sessions;
}

/** STS: temporary credentials. */
export function createSts({ iam, sessions }: StsNeeds): { readonly service: Service } {
  const operations = {
    AssumeRole: {
      authorize: async (input, call) => {
        refuseUnbuilt(input);
        // AWS: the root is nobody's to trust a role with.
        if (call.principal.type === "root") throw accessDenied("Roles may not be assumed by root accounts.");
        if (call.principal.type === "anonymous") throw missingAuthentication("query");
        return toRequests(input, await iam.findRole(present(input.RoleArn)));
      },
      run: async (input, call) => {
        const role = await iam.findRole(present(input.RoleArn));
        if (!role) throw validationError(`The role ${input.RoleArn} was deleted while it was assumed.`);
        const seconds = checkDuration(
          input.DurationSeconds ?? stsLimits.assumeRoleSecondsDefault,
          role,
          call.principal,
        );
        const account = parseArn(role.roleArn)?.account ?? "";
        const sessionName = present(input.RoleSessionName);
        const sessionPolicies = checkSessionPolicies(input);
        const principal: SessionPrincipal = {
          type: "assumedRole",
          account,
          arn: `arn:aws:sts::${account}:assumed-role/${role.roleName}/${sessionName}`,
          roleArn: role.roleArn,
          roleId: role.roleId,
          sessionName,
          accessKeyId: "",
          sessionPolicies,
          sessionTags: toTags(input),
        };
        const { credentials, percent } = issue(sessions, principal, call.now, seconds);
        const narrowed = sessionPolicies.length > 0 || (input.Tags?.length ?? 0) > 0;
        return {
          Credentials: credentials,
          AssumedRoleUser: { AssumedRoleId: `${role.roleId}:${sessionName}`, Arn: principal.arn },
          ...(narrowed && { PackedPolicySize: percent }),
        };
      },
    },
    GetCallerIdentity: {
      // AWS: no policy can deny it.
      authorize: () => [],
      run: (_input, call) => toIdentity(call.principal),
    },
    GetSessionToken: {
      authorize: () => [],
      run: (input, call) => {
        for (const name of ["SerialNumber", "TokenCode", "MinimumSessionTokenSize"] as const) {
          if (input[name] !== undefined) throw notImplemented(`The parameter ${name} of GetSessionToken`);
        }
        const { principal } = call;
        if (principal.type === "anonymous") throw missingAuthentication("query");
        if ((principal.type !== "user" && principal.type !== "root") || principal.accessKeyId.startsWith("ASIA")) {
          throw accessDenied("Cannot call GetSessionToken with session credentials");
        }
        const asked = input.DurationSeconds ?? stsLimits.sessionTokenSecondsDefault;
        const seconds = principal.type === "root" ? Math.min(asked, stsLimits.sessionTokenSecondsMaxOfRoot) : asked;
        return { Credentials: issue(sessions, principal, call.now, seconds).credentials };
      },
    },
  } satisfies OperationsOf<Sdk>;
  return { service: { name: "sts", operations } };
}

function refuseUnbuilt(input: AssumeRoleInput): void {
  const names = ["SerialNumber", "TokenCode", "SourceIdentity", "ProvidedContexts", "MinimumSessionTokenSize"] as const;
  for (const name of names) {
    if (input[name] !== undefined) throw notImplemented(`The parameter ${name} of AssumeRole`);
  }
  if (input.TransitiveTagKeys?.length) throw notImplemented("The parameter TransitiveTagKeys of AssumeRole");
}

/** The trust policy must allow it; a role that does not exist is refused in the same words. */
function toRequests(input: AssumeRoleInput, role: AssumableRole | undefined): readonly AuthorizationRequest[] {
  const resource = present(input.RoleArn);
  const arn = parseArn(resource);
  if (!arn || arn.service !== "iam" || !arn.resource.startsWith("role/")) {
    throw validationError(`${resource} is invalid`);
  }
  const context: Record<string, readonly string[]> = {
    "sts:RoleSessionName": [present(input.RoleSessionName)],
    ...(input.ExternalId !== undefined && { "sts:ExternalId": [input.ExternalId] }),
    ...(input.Tags?.length && { "aws:TagKeys": input.Tags.map(({ Key }) => present(Key)) }),
  };
  for (const [key, value] of Object.entries(toTags(input))) context[`aws:RequestTag/${key}`] = [value];
  for (const [key, value] of Object.entries(role?.tags ?? {})) {
    context[`aws:ResourceTag/${key}`] = [value];
    context[`iam:ResourceTag/${key}`] = [value];
  }
  const assume = {
    action: "sts:AssumeRole",
    resource,
    resourceAccount: arn.account,
    resourcePolicyRequired: true,
    context,
    ...(role && { resourcePolicy: role.trustPolicy }),
  };
  return input.Tags?.length ? [assume, { ...assume, action: "sts:TagSession" }] : [assume];
}

function checkDuration(seconds: number, role: AssumableRole, principal: Principal): number {
  if (principal.type === "assumedRole" && seconds > stsLimits.chainedSecondsMax) {
    throw validationError(
      "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
    );
  }
  if (seconds > role.maxSessionSeconds) {
    throw validationError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
  }
  return seconds;
}

/** A document as it is, and managed policies by ARN: what they say then counts on each call. */
function checkSessionPolicies(input: AssumeRoleInput): readonly string[] {
  const arns = (input.PolicyArns ?? []).map(({ arn }) => present(arn));
  if (arns.length > stsLimits.sessionPolicyArnsMax) {
    throw validationError(
      `A session can be narrowed by ${stsLimits.sessionPolicyArnsMax} managed policies at the most.`,
    );
  }
  const account = parseArn(present(input.RoleArn))?.account ?? "";
  for (const arn of arns) {
    const parsed = parseArn(arn);
    if (parsed?.service !== "iam" || !parsed.resource.startsWith("policy/")) throw validationError(`${arn} is invalid`);
    if (parsed.account !== "aws" && parsed.account !== account) {
      throw validationError(`The policy ${arn} is not of the account of the role.`);
    }
  }
  if (input.Policy === undefined) return arns;
  if (input.Policy.length + arns.join("").length > stsLimits.sessionPolicyCharactersMax) {
    const percent = Math.ceil((input.Policy.length * 100) / stsLimits.sessionPolicyCharactersMax);
    throw packedPolicyTooLarge(percent);
  }
  try {
    parsePolicyDocument(input.Policy, "identity");
  } catch (error) {
    if (error instanceof PolicyGrammarError) throw malformedPolicyDocument(error.message);
    throw error;
  }
  return [input.Policy, ...arns];
}

function toTags(input: AssumeRoleInput): Record<string, string> {
  const tags = (input.Tags ?? []).map(({ Key, Value }) => [present(Key), Value ?? ""] as const);
  if (new Set(tags.map(([key]) => key.toLowerCase())).size < tags.length) {
    throw validationError("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
  }
  // Not by assignment, which loses the key `__proto__`.
  return Object.fromEntries(tags);
}

function issue(sessions: Sessions, principal: SessionPrincipal, now: number, seconds: number) {
  try {
    const issued = sessions.issue(principal, now, now + seconds * 1000);
    const { accessKeyId, secretAccessKey, sessionToken, expiresAt, packedPercent } = issued;
    return {
      percent: packedPercent,
      credentials: {
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        SessionToken: sessionToken,
        Expiration: new Date(expiresAt),
      },
    };
  } catch (error) {
    if (error instanceof SessionTooLargeError) throw packedPolicyTooLarge(error.packedPercent);
    throw error;
  }
}

function toIdentity(principal: Call["principal"]) {
  switch (principal.type) {
    case "root":
      return { UserId: principal.account, Account: principal.account, Arn: principal.arn };
    case "user":
      return { UserId: principal.userId, Account: principal.account, Arn: principal.arn };
    case "assumedRole":
      return {
        UserId: `${principal.roleId}:${principal.sessionName}`,
        Account: principal.account,
        Arn: principal.arn,
      };
    case "federatedUser":
      return { UserId: `${principal.account}:${principal.name}`, Account: principal.account, Arn: principal.arn };
    case "webIdentity":
    case "service":
    case "anonymous":
      throw missingAuthentication("query");
    default:
      return principal satisfies never;
  }
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("A required member is absent: the wire's check is missing");
  return value;
}
