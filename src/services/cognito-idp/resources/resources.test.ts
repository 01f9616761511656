import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import * as sdk from "@aws-sdk/client-cognito-identity-provider";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";
import { deploy } from "../../../testing/stacks.ts";
import { findResourceSpec } from "../../cloudformation/spec/resource-spec.ts";
import {
  identityProviderType,
  resourceServerType,
  userPoolDomainType,
  userPoolGroupType,
  userPoolUserType,
  userToGroupType,
} from "./in-pool.ts";
import { uiCustomizationType } from "./ui-customization.ts";
import { userPoolClientType } from "./user-pool-client.ts";
import { userPoolType } from "./user-pool.ts";

/** Properties that are refused by name before anything is made. */
const refused: Readonly<Record<string, readonly string[]>> = {
  "AWS::Cognito::UserPoolClient": ["AnalyticsConfiguration"],
};

test.each([
  userPoolType,
  userPoolClientType,
  userPoolGroupType,
  userPoolUserType,
  userToGroupType,
  userPoolDomainType,
  resourceServerType,
  identityProviderType,
  uiCustomizationType,
])("$type takes every property that AWS's specification has, and has every attribute", (type) => {
  const spec = findResourceSpec(type.type);
  const taken = new Set(type.properties.map((path) => path.replace(/[.[].*$/, "")));
  const missing = [...(spec?.properties.keys() ?? [])].filter((name) => !taken.has(name));
  expect(missing).toEqual(refused[type.type] ?? []);
  expect([...type.attributes].toSorted()).toEqual([...(spec?.attributes ?? [])].toSorted());
});

const templateOf = (css: string, minimum: number) => ({
  Resources: {
    Pool: {
      Type: "AWS::Cognito::UserPool",
      Properties: {
        Policies: { PasswordPolicy: { MinimumLength: minimum } },
        MfaConfiguration: "OPTIONAL",
        EnabledMfas: ["SOFTWARE_TOKEN_MFA", "EMAIL_OTP"],
        EmailAuthenticationSubject: "Code",
        EmailAuthenticationMessage: "{####}",
        WebAuthnRelyingPartyID: "login.example.org",
        WebAuthnUserVerification: "required",
        WebAuthnFactorConfiguration: "MULTI_FACTOR_WITH_USER_VERIFICATION",
      },
    },
    Client: {
      Type: "AWS::Cognito::UserPoolClient",
      Properties: { UserPoolId: { Ref: "Pool" }, GenerateSecret: true },
    },
    Domain: {
      Type: "AWS::Cognito::UserPoolDomain",
      Properties: { UserPoolId: { Ref: "Pool" }, Domain: "look", ManagedLoginVersion: 1 },
    },
    Look: {
      Type: "AWS::Cognito::UserPoolUICustomizationAttachment",
      DependsOn: "Domain",
      Properties: { UserPoolId: { Ref: "Pool" }, ClientId: "ALL", CSS: css },
    },
  },
  Outputs: {
    Pool: { Value: { Ref: "Pool" } },
    Secret: { Value: { "Fn::GetAtt": ["Client", "ClientSecret"] } },
  },
});

describe("In a stack", () => {
  let platform: TestPlatform;
  let cognito: sdk.CognitoIdentityProviderClient;
  let cloudformation: CloudFormationClient;
  beforeAll(async () => {
    platform = await startTestPlatform();
    cognito = new sdk.CognitoIdentityProviderClient(platform.settings);
    cloudformation = new CloudFormationClient(platform.settings);
  });
  afterAll(() => platform.stop());

  test("factors, passkeys and the look of pages are made, changed and removed", async () => {
    const made = await deploy(
      cloudformation,
      "looks",
      templateOf(".submitButton-customizable { background-color: red; }", 8),
    );
    expect(made).toMatchObject({ status: "CREATE_COMPLETE", failures: [] });
    const { Pool: UserPoolId, Secret: secret } = made.outputs;
    expect(secret).toMatch(/^[a-z0-9]{51}$/);
    expect(await cognito.send(new sdk.GetUserPoolMfaConfigCommand({ UserPoolId }))).toMatchObject({
      MfaConfiguration: "OPTIONAL",
      SoftwareTokenMfaConfiguration: { Enabled: true },
      EmailMfaConfiguration: { Subject: "Code", Message: "{####}" },
      WebAuthnConfiguration: {
        RelyingPartyId: "login.example.org",
        UserVerification: "required",
        FactorConfiguration: "MULTI_FACTOR_WITH_USER_VERIFICATION",
      },
    });
    const look = async () =>
      (await cognito.send(new sdk.GetUICustomizationCommand({ UserPoolId }))).UICustomization?.CSS ?? "";
    expect(await look()).toContain("red");
    const changed = await deploy(
      cloudformation,
      "looks",
      templateOf(".submitButton-customizable { background-color: blue; }", 12),
    );
    expect(changed).toMatchObject({ status: "UPDATE_COMPLETE", failures: [] });
    expect(changed.outputs["Pool"]).toBe(UserPoolId);
    expect(await look()).toContain("blue");
    const { UserPool } = await cognito.send(new sdk.DescribeUserPoolCommand({ UserPoolId }));
    expect(UserPool?.Policies?.PasswordPolicy?.MinimumLength).toBe(12);
    expect((await deploy(cloudformation, "looks", undefined)).status).toBe("DELETE_COMPLETE");
  });

  test("what is not built is refused by name, and nothing is left behind", async () => {
    const refusedTemplate = {
      Resources: {
        Pool: {
          Type: "AWS::Cognito::UserPool",
          Properties: { UserPoolName: "never", UserPoolAddOns: { AdvancedSecurityMode: "ENFORCED" } },
        },
      },
    };
    const outcome = await deploy(cloudformation, "never", refusedTemplate);
    expect(outcome.failures.join()).toContain("AdvancedSecurityMode");
    const { UserPools } = await cognito.send(new sdk.ListUserPoolsCommand({ MaxResults: 60 }));
    expect(UserPools?.filter(({ Name }) => Name === "never")).toEqual([]);
  });
});
