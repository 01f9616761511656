import { parseArn } from "../../../aws/arn.ts";
import type { InputOf, OperationsOf } from "../../../wire/service.ts";
import { invalidParameter } from "../errors.ts";
import { identityLimits } from "../limits.ts";
import { writePool, type PrincipalTagMap, type RoleMapping } from "../model.ts";
import type { CognitoIdentityNeeds, Sdk } from "../needs.ts";
import { existingPool, onPool, present } from "../pools.ts";
import { identityProvider } from "../tokens.ts";

type Mappings = NonNullable<InputOf<Sdk, "SetIdentityPoolRoles">["RoleMappings"]>;

export function roleOperations({ store, iam }: CognitoIdentityNeeds) {
  return {
    SetIdentityPoolRoles: {
      authorize: async (input, call) => {
        const mapped = Object.values(toMappings(input.RoleMappings)).flatMap((mapping) =>
          mapping.type === "Rules" ? mapping.rules.map(({ roleArn }) => roleArn) : [],
        );
        const arns = new Set([...Object.values(present(input.Roles)), ...mapped]);
        return [
          ...(await onPool(store, call, present(input.IdentityPoolId))),
          ...[...arns].map((arn) => iam.passRole(arn, identityProvider)),
        ];
      },
      run: (input, call) =>
        store.transact(async (tx) => {
          const pool = await existingPool(tx, call, present(input.IdentityPoolId));
          const roles = present(input.Roles);
          for (const arn of Object.values(roles)) checkRoleArn(arn);
          writePool(tx, { ...pool, roles, roleMappings: toMappings(input.RoleMappings) });
          return {};
        }),
    },

    GetIdentityPoolRoles: {
      authorize: (input, call) => onPool(store, call, present(input.IdentityPoolId)),
      async run(input, call) {
        const pool = await store.read((reader) => existingPool(reader, call, present(input.IdentityPoolId)));
        const mappings = Object.entries(pool.roleMappings);
        return {
          IdentityPoolId: pool.id,
          Roles: { ...pool.roles },
          ...(mappings.length > 0 && {
            RoleMappings: Object.fromEntries(mappings.map(([name, mapping]) => [name, describeMapping(mapping)])),
          }),
        };
      },
    },

    SetPrincipalTagAttributeMap: {
      authorize: (input, call) => onPool(store, call, present(input.IdentityPoolId)),
      run: (input, call) =>
        store.transact(async (tx) => {
          const pool = await existingPool(tx, call, present(input.IdentityPoolId));
          const name = present(input.IdentityProviderName);
          const map = toTagMap(input);
          writePool(tx, { ...pool, principalTags: { ...pool.principalTags, [name]: map } });
          return { IdentityPoolId: pool.id, IdentityProviderName: name, ...describeTagMap(map) };
        }),
    },

    GetPrincipalTagAttributeMap: {
      authorize: (input, call) => onPool(store, call, present(input.IdentityPoolId)),
      async run(input, call) {
        const pool = await store.read((reader) => existingPool(reader, call, present(input.IdentityPoolId)));
        const name = present(input.IdentityProviderName);
        const map = Object.hasOwn(pool.principalTags, name) ? pool.principalTags[name] : undefined;
        return { IdentityPoolId: pool.id, IdentityProviderName: name, ...(map && describeTagMap(map)) };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function toMappings(listed: Mappings | undefined): Record<string, RoleMapping> {
  return Object.fromEntries(Object.entries(listed ?? {}).map(([name, mapping]) => [name, toMapping(mapping)] as const));
}

function toMapping(mapping: Mappings[string]): RoleMapping {
  const ambiguous = mapping.AmbiguousRoleResolution;
  if (ambiguous === undefined) {
    throw invalidParameter("Ambiguous role resolution is required for the role mapping types Token and Rules.");
  }
  if (mapping.Type === "Token") {
    if (mapping.RulesConfiguration) throw invalidParameter("Rules are only for the role mapping type Rules.");
    return { type: "Token", ambiguous };
  }
  const rules = mapping.RulesConfiguration?.Rules ?? [];
  const max = identityLimits.rulesPerMappingMax;
  if (rules.length === 0) throw invalidParameter("Rules are required for the role mapping type Rules.");
  if (rules.length > max) throw invalidParameter(`A role mapping has at most ${max} rules.`);
  return {
    type: "Rules",
    ambiguous,
    rules: rules.map((rule) => {
      const roleArn = checkRoleArn(present(rule.RoleARN));
      return { claim: present(rule.Claim), match: present(rule.MatchType), value: present(rule.Value), roleArn };
    }),
  };
}

function checkRoleArn(arn: string): string {
  const parsed = parseArn(arn);
  if (parsed?.service !== "iam" || !parsed.resource.startsWith("role/")) {
    throw invalidParameter(`Invalid role ARN: ${arn}`);
  }
  return arn;
}

function describeMapping(mapping: RoleMapping) {
  return {
    Type: mapping.type,
    AmbiguousRoleResolution: mapping.ambiguous,
    ...(mapping.type === "Rules" && {
      RulesConfiguration: {
        Rules: mapping.rules.map(({ claim, match, value, roleArn }) => ({
          Claim: claim,
          MatchType: match,
          Value: value,
          RoleARN: roleArn,
        })),
      },
    }),
  };
}

function toTagMap(input: InputOf<Sdk, "SetPrincipalTagAttributeMap">): PrincipalTagMap {
  const tags = input.PrincipalTags;
  if (input.UseDefaults === true) {
    if (tags && Object.keys(tags).length > 0) {
      throw invalidParameter("PrincipalTags cannot be set when UseDefaults is true.");
    }
    return { useDefaults: true };
  }
  return { useDefaults: false, tags: tags ?? {} };
}

function describeTagMap(map: PrincipalTagMap) {
  if (map.useDefaults) return { UseDefaults: true, PrincipalTags: { client: "aud", username: "sub" } };
  return { UseDefaults: false, PrincipalTags: { ...map.tags } };
}
