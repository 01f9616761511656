import { invalidLambdaResponse } from "../errors.ts";
import { isObject, type Triggers } from "../triggers/triggers.ts";
import type { Client, Pool, User } from "../model.ts";
import { attributesForTriggers, type GroupFacts } from "./claims.ts";

export type TokenSource =
  | "TokenGeneration_HostedAuth"
  | "TokenGeneration_Authentication"
  | "TokenGeneration_NewPasswordChallenge"
  | "TokenGeneration_AuthenticateDevice"
  | "TokenGeneration_RefreshTokens"
  | "TokenGeneration_ClientCredentials";

/** What the function of the pre token generation trigger changes. */
export interface TokenChanges {
  readonly id: ClaimChanges;
  readonly access: ClaimChanges & {
    readonly scopesToAdd: readonly string[];
    readonly scopesToSuppress: readonly string[];
  };
  readonly groups: Partial<GroupFacts>;
}

interface ClaimChanges {
  readonly add: Readonly<Record<string, unknown>>;
  readonly suppress: readonly string[];
}

const nothing: ClaimChanges = { add: {}, suppress: [] };
export const noChanges: TokenChanges = {
  id: nothing,
  access: { ...nothing, scopesToAdd: [], scopesToSuppress: [] },
  groups: {},
};

/** Source: developer guide, "Pre token generation Lambda trigger". */
export async function askPreTokenGeneration(
  triggers: Triggers,
  asked: {
    readonly pool: Pool;
    readonly client: Client;
    /** Absent for client credentials. */
    readonly user?: User;
    readonly groups: GroupFacts;
    readonly scopes: readonly string[];
    readonly source: TokenSource;
    readonly clientMetadata?: Readonly<Record<string, string>>;
  },
): Promise<TokenChanges> {
  const { pool, client, user, groups, scopes, source, clientMetadata } = asked;
  if (!triggers.has(pool, "PreTokenGeneration")) return noChanges;
  const version = pool.settings.LambdaConfig?.PreTokenGenerationConfig?.LambdaVersion ?? "V1_0";
  // AWS: only version 3 is asked about tokens of clients themselves.
  if (!user && version !== "V3_0") return noChanges;
  const isOld = version === "V1_0";
  const response = await triggers.call(pool, "PreTokenGeneration", {
    version: version.slice(1, 2),
    source,
    userName: user?.username ?? client.id,
    clientId: client.id,
    request: {
      userAttributes: user ? attributesForTriggers(user) : {},
      groupConfiguration: {
        groupsToOverride: groups.names,
        iamRolesToOverride: groups.roles,
        preferredRole: groups.preferredRole ?? null,
      },
      ...(!isOld && { scopes }),
      ...(clientMetadata && { clientMetadata }),
    },
    response: isOld ? { claimsOverrideDetails: null } : { claimsAndScopeOverrideDetails: null },
  });
  const details = response?.[isOld ? "claimsOverrideDetails" : "claimsAndScopeOverrideDetails"];
  if (details === undefined || details === null) return noChanges;
  if (!isObject(details)) throw invalidLambdaResponse("Unrecognizable lambda output");
  const access = isOld ? undefined : details["accessTokenGeneration"];
  return {
    id: readClaims(isOld ? details : details["idTokenGeneration"], isOld),
    access: {
      ...readClaims(access, false),
      scopesToAdd: readTexts(isObject(access) ? access["scopesToAdd"] : undefined),
      scopesToSuppress: readTexts(isObject(access) ? access["scopesToSuppress"] : undefined),
    },
    groups: readGroups(details["groupOverrideDetails"]),
  };
}

/** AWS: version 1 takes texts only. */
function readClaims(value: unknown, textsOnly: boolean): ClaimChanges {
  if (value === undefined || value === null) return nothing;
  if (!isObject(value)) throw invalidLambdaResponse("Unrecognizable lambda output");
  const add = value["claimsToAddOrOverride"] ?? {};
  if (!isObject(add) || (textsOnly && Object.values(add).some((each) => typeof each !== "string"))) {
    throw invalidLambdaResponse("Unrecognizable lambda output");
  }
  return { add, suppress: readTexts(value["claimsToSuppress"]) };
}

function readTexts(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.some((each) => typeof each !== "string")) {
    throw invalidLambdaResponse("Unrecognizable lambda output");
  }
  return value.map(String);
}

function readGroups(value: unknown): Partial<GroupFacts> {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw invalidLambdaResponse("Unrecognizable lambda output");
  const preferred = value["preferredRole"];
  return {
    names: readTexts(value["groupsToOverride"]),
    roles: readTexts(value["iamRolesToOverride"]),
    preferredRole: typeof preferred === "string" ? preferred : undefined,
  };
}
