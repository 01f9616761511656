import type { Properties, ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import type { InputOf } from "../../../wire/service.ts";
import type { Sdk } from "../needs.ts";
import { objectOf, objectsOf, textOf, textsOf, unlessGone } from "./properties.ts";

type RolesInput = InputOf<Sdk, "SetIdentityPoolRoles">;
type Mapping = NonNullable<RolesInput["RoleMappings"]>[string];

export const roleAttachmentType: ResourceType = {
  type: "AWS::Cognito::IdentityPoolRoleAttachment",
  properties: [
    "IdentityPoolId",
    "Roles",
    "RoleMappings.*.AmbiguousRoleResolution",
    "RoleMappings.*.IdentityProvider",
    "RoleMappings.*.RulesConfiguration.Rules[].Claim",
    "RoleMappings.*.RulesConfiguration.Rules[].MatchType",
    "RoleMappings.*.RulesConfiguration.Rules[].RoleARN",
    "RoleMappings.*.RulesConfiguration.Rules[].Value",
    "RoleMappings.*.Type",
  ],
  attributes: ["Id"],
  create: attach,
  update: attach,
  // AWS: the pool has no roles then.
  delete: (context) =>
    unlessGone(
      context
        .client<Sdk>("cognito-identity")
        .SetIdentityPoolRoles({ IdentityPoolId: textOf(context.properties, "IdentityPoolId"), Roles: {} }),
    ),
};

async function attach(context: ResourceContext) {
  const { properties } = context;
  const poolId = textOf(properties, "IdentityPoolId") ?? "";
  const mappings = Object.entries(objectOf(properties, "RoleMappings") ?? {}).map(([name, value]) => {
    const mapping = objectOf({ value }, "value") ?? {};
    // The key may be any name where the provider is a parameter, which no key can be.
    return [textOf(mapping, "IdentityProvider") ?? name, toMapping(mapping)] as const;
  });
  await context.client<Sdk>("cognito-identity").SetIdentityPoolRoles({
    IdentityPoolId: poolId,
    Roles: textsOf(properties, "Roles") ?? {},
    ...(mappings.length > 0 && { RoleMappings: Object.fromEntries(mappings) }),
  });
  return { physicalId: poolId, attributes: { Id: poolId } };
}

// What is none of the words that the operation takes is refused by its constraints.
function toMapping(mapping: Properties): Mapping {
  const configuration = objectOf(mapping, "RulesConfiguration");
  const rules = configuration && (objectsOf(configuration, "Rules") ?? []);
  const words = {
    Type: textOf(mapping, "Type"),
    AmbiguousRoleResolution: textOf(mapping, "AmbiguousRoleResolution"),
    ...(rules && {
      RulesConfiguration: {
        Rules: rules.map((rule) => ({
          Claim: textOf(rule, "Claim"),
          MatchType: textOf(rule, "MatchType"),
          RoleARN: textOf(rule, "RoleARN"),
          Value: textOf(rule, "Value"),
        })),
      },
    }),
  };
  return words as Mapping;
}
