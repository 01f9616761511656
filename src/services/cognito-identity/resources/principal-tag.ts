import type { ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import type { Sdk } from "../needs.ts";
import { flagOf, textOf, textsOf, unlessGone } from "./properties.ts";

export const principalTagType: ResourceType = {
  type: "AWS::Cognito::IdentityPoolPrincipalTag",
  properties: ["IdentityPoolId", "IdentityProviderName", "PrincipalTags", "UseDefaults"],
  attributes: [],
  create: setTags,
  update: setTags,
  delete: (context) =>
    unlessGone(
      context
        .client<Sdk>("cognito-identity")
        .SetPrincipalTagAttributeMap({ ...nameOf(context), UseDefaults: false, PrincipalTags: {} }),
    ),
};

function nameOf({ properties }: ResourceContext) {
  return {
    IdentityPoolId: textOf(properties, "IdentityPoolId") ?? "",
    IdentityProviderName: textOf(properties, "IdentityProviderName") ?? "",
  };
}

async function setTags(context: ResourceContext) {
  const name = nameOf(context);
  const tags = textsOf(context.properties, "PrincipalTags");
  await context.client<Sdk>("cognito-identity").SetPrincipalTagAttributeMap({
    ...name,
    UseDefaults: flagOf(context.properties, "UseDefaults") ?? tags === undefined,
    ...(tags && { PrincipalTags: tags }),
  });
  return { physicalId: `${name.IdentityPoolId}|${name.IdentityProviderName}`, attributes: {} };
}
