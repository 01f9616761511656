import type * as EcrSdk from "@aws-sdk/client-ecr";
import type * as IamSdk from "@aws-sdk/client-iam";
import type * as LambdaSdk from "@aws-sdk/client-lambda";
import type * as S3Sdk from "@aws-sdk/client-s3";
import type { AuthorizationRequest, RequestEnvironment } from "../access/authorization.ts";
import { decide, type DecideNeeds } from "../access/decide.ts";
import type { DenialJournal } from "../access/denials/journal.ts";
import { PolicyGrammarError } from "../access/policy/document.ts";
import { parseArn } from "../aws/arn.ts";
import { AwsError } from "../aws/error.ts";
import type { Principal } from "../aws/principal.ts";
import type { CallAs, ServiceDirectory } from "../wire/service.ts";

export interface ExplainApiNeeds extends DecideNeeds {
  readonly denials: DenialJournal;
  readonly directory: ServiceDirectory;
  /** What every process of this port has not written yet. */
  readonly flush: () => Promise<void>;
}

/** Why a request was denied, or what would be decided: for whoever may `cumulet:Explain`, of the caller's own account. */
export interface ExplainApi {
  /** @throws {AwsError} for a query that cannot be answered */
  answer(query: URLSearchParams, caller: ExplainCaller): Promise<object>;
}

export interface ExplainCaller {
  readonly account: string;
  readonly region: string;
  readonly now: number;
}

export function createExplainApi(needs: ExplainApiNeeds): ExplainApi {
  const ofRequest = async (account: string, requestId: string): Promise<object> => {
    await needs.flush();
    const denials = await needs.denials.find(account, requestId);
    if (denials.length === 0) {
      const where = `There is no denial of the request ${requestId.slice(0, 64)} on record`;
      throw new AwsError("ResourceNotFoundException", 404, `${where}: it was not denied by a policy, or is forgotten`);
    }
    return { denials };
  };

  const ofQuestion = async (query: URLSearchParams, caller: ExplainCaller): Promise<object> => {
    const [principalArn, action, resource] = ["principal", "action", "resource"].map((name) => required(query, name));
    const environment = { ...toEnvironment(query), ...caller };
    const principal = await findPrincipal(needs.directory, principalArn ?? "", caller);
    const request = await toRequest(needs.directory, query, action ?? "", resource ?? "", caller);
    try {
      const { decision, because, context, policies } = await decide(needs, principal, request, environment);
      return { decision, ...(because && { because }), context: Object.fromEntries(context), policies };
    } catch (error) {
      if (error instanceof PolicyGrammarError) throw invalid(error.message);
      throw error;
    }
  };

  return {
    answer: (query, caller) => {
      const requestId = query.get("requestId");
      return requestId === null ? ofQuestion(query, caller) : ofRequest(caller.account, requestId);
    },
  };
}

/** Global keys that the question may set: what an ordinary call would have brought with it. */
function toEnvironment(query: URLSearchParams): Pick<RequestEnvironment, "sourceIp" | "secureTransport" | "userAgent"> {
  return {
    sourceIp: query.get("sourceIp") ?? "",
    secureTransport: query.get("secureTransport") !== "false",
    userAgent: query.get("userAgent") ?? "",
  };
}

async function toRequest(
  directory: ServiceDirectory,
  query: URLSearchParams,
  action: string,
  resource: string,
  caller: ExplainCaller,
): Promise<AuthorizationRequest> {
  const resourcePolicy = query.get("resourcePolicy") ?? (await findResourcePolicy(directory, action, resource, caller));
  return {
    action,
    resource,
    resourceAccount: parseArn(resource)?.account || caller.account,
    context: toContext(query.getAll("context")),
    ...(resourcePolicy !== undefined && { resourcePolicy }),
    ...(isAssumption(action) && { resourcePolicyRequired: true }),
  };
}

/** `key=value`, as often as the key has values. */
function toContext(entries: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const context = new Map<string, string[]>();
  for (const entry of entries) {
    const at = entry.indexOf("=");
    if (at < 1) throw invalid(`A condition key is given as key=value, not ${entry.slice(0, 80)}`);
    const key = entry.slice(0, at).toLowerCase();
    context.set(key, [...(context.get(key) ?? []), entry.slice(at + 1)]);
  }
  return Object.fromEntries(context);
}

const namePattern =
  /^arn:aws:(?:iam|sts)::(\d{12}):(root|user|role|assumed-role)(?:\/(?:.*\/)?([^/]+?))?(?:\/([^/]+))?$/;

async function findPrincipal(directory: ServiceDirectory, arn: string, caller: ExplainCaller): Promise<Principal> {
  if (/^[\w.-]+\.amazonaws\.com$/.test(arn)) return { type: "service", service: arn };
  const account = namePattern.exec(arn)?.[1];
  if (account === undefined) throw invalid(`${arn.slice(0, 200)} is not the ARN of a user, role, session or root`);
  if (account !== caller.account) throw invalid("Only principals of the caller's own account can be explained");
  const { resource } = parseArn(arn) ?? { resource: "" };
  const [kind, ...path] = resource.split("/");
  const iam = directory.client<typeof IamSdk>("iam", asRoot(caller));
  if (kind === "root") return { type: "root", account, arn, accessKeyId: "" };
  if (kind === "user") {
    const { User } = await iam.GetUser({ UserName: path.at(-1) ?? "" });
    if (User?.Arn !== arn) throw invalid(`There is no user ${arn}`);
    return { type: "user", account, arn, userId: User.UserId ?? "", userName: User.UserName ?? "", accessKeyId: "" };
  }
  const roleName = (kind === "role" ? path.at(-1) : path[0]) ?? "";
  const sessionName = kind === "role" ? "explain" : (path[1] ?? "explain");
  const { Role } = await iam.GetRole({ RoleName: roleName });
  if (!Role?.Arn || (kind === "role" && Role.Arn !== arn)) throw invalid(`There is no role ${arn}`);
  return {
    type: "assumedRole",
    account,
    arn: `arn:aws:sts::${account}:assumed-role/${roleName}/${sessionName}`,
    roleArn: Role.Arn,
    roleId: Role.RoleId ?? "",
    sessionName,
    accessKeyId: "",
    sessionPolicies: [],
    sessionTags: {},
    tokenIssuedAt: caller.now,
  };
}

function isAssumption(action: string): boolean {
  return /^sts:AssumeRole/i.test(action);
}

/** The policy that the resource has itself, where its service lets one read it; none for what does not exist. */
async function findResourcePolicy(
  directory: ServiceDirectory,
  action: string,
  resource: string,
  caller: ExplainCaller,
): Promise<string | undefined> {
  const arn = parseArn(resource);
  if (!arn) return undefined;
  const as = asRoot(caller);
  try {
    if (isAssumption(action)) {
      const iam = directory.client<typeof IamSdk>("iam", as);
      const { Role } = await iam.GetRole({ RoleName: arn.resource.slice(arn.resource.lastIndexOf("/") + 1) });
      return Role?.AssumeRolePolicyDocument && decodeURIComponent(Role.AssumeRolePolicyDocument);
    }
    if (arn.service === "s3") {
      const [Bucket = ""] = arn.resource.split("/");
      return (await directory.client<typeof S3Sdk>("s3", as).GetBucketPolicy({ Bucket })).Policy;
    }
    if (arn.service === "lambda" && arn.resource.startsWith("function:")) {
      const [, FunctionName = "", Qualifier] = arn.resource.split(":");
      const lambda = directory.client<typeof LambdaSdk>("lambda", { ...as, region: arn.region });
      return (await lambda.GetPolicy({ FunctionName, ...(Qualifier !== undefined && { Qualifier }) })).Policy;
    }
    if (arn.service === "ecr") {
      const ecr = directory.client<typeof EcrSdk>("ecr", { ...as, region: arn.region });
      const { policyText } = await ecr.GetRepositoryPolicy({ repositoryName: arn.resource.replace("repository/", "") });
      return policyText;
    }
  } catch (error) {
    if (!(error instanceof AwsError) || error.status >= 500) throw error;
  }
  return undefined;
}

function asRoot({ account, region }: ExplainCaller): CallAs {
  const principal = { type: "root", account, arn: `arn:aws:iam::${account}:root`, accessKeyId: "" } as const;
  return { principal, account, region, endpoint: "http://127.0.0.1" };
}

function required(query: URLSearchParams, name: string): string {
  const value = query.get(name);
  if (!value) throw invalid(`Say which ${name}`);
  return value;
}

function invalid(message: string): AwsError {
  return new AwsError("ValidationException", 400, message);
}
