import type {
  CreateUserPoolRequest,
  SchemaAttributeType,
  SetUserPoolMfaConfigRequest,
} from "@aws-sdk/client-cognito-identity-provider";
import { isMadeFor } from "../../../aws/stack-tags.ts";
import type { Properties, ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import { invalidParameter } from "../errors.ts";
import type { Sdk } from "../needs.ts";
import { listOf, pick, textOf, unlessGone } from "./properties.ts";

const shared = [
  "AccountRecoverySetting",
  "AdminCreateUserConfig",
  "AutoVerifiedAttributes",
  "DeletionProtection",
  "DeviceConfiguration",
  "EmailConfiguration",
  "EmailVerificationMessage",
  "EmailVerificationSubject",
  "IssuerConfiguration",
  "KeyConfiguration",
  "LambdaConfig",
  "Policies",
  "SmsAuthenticationMessage",
  "SmsConfiguration",
  "SmsVerificationMessage",
  "UserAttributeUpdateSettings",
  "UserPoolAddOns",
  "UserPoolTier",
  "VerificationMessageTemplate",
] as const satisfies readonly (keyof CreateUserPoolRequest)[];

/** What cannot change. */
const fixed = ["AliasAttributes", "UsernameAttributes", "UsernameConfiguration"] as const;

export const userPoolType: ResourceType = {
  type: "AWS::Cognito::UserPool",
  properties: [
    ...shared,
    ...fixed,
    "EmailAuthenticationMessage",
    "EmailAuthenticationSubject",
    "EnabledMfas",
    "MfaConfiguration",
    "Schema",
    "UserPoolName",
    "UserPoolTags",
    "WebAuthnFactorConfiguration",
    "WebAuthnRelyingPartyID",
    "WebAuthnUserVerification",
  ],
  attributes: ["Arn", "ProviderName", "ProviderURL", "UserPoolId"],

  async create(context) {
    const cognito = context.client<Sdk>("cognito-idp");
    const { properties } = context;
    const PoolName = textOf(properties, "UserPoolName") ?? context.generateName(128);
    const found = context.resumed ? await findOwn(context, PoolName) : undefined;
    const { Schema } = pick<{ Schema?: SchemaAttributeType[] }>(properties, ["Schema"]);
    const id =
      found ??
      (
        await cognito.CreateUserPool({
          ...pick<CreateUserPoolRequest>(properties, [...shared, ...fixed]),
          PoolName,
          ...(Schema && { Schema }),
          UserPoolTags: tagsOf(context),
        })
      ).UserPool?.Id ??
      "";
    try {
      await setMfa(context, id);
    } catch (error) {
      if (textOf(properties, "DeletionProtection") === "ACTIVE") {
        await cognito.UpdateUserPool({ UserPoolId: id, DeletionProtection: "INACTIVE" });
      }
      await cognito.DeleteUserPool({ UserPoolId: id });
      throw error;
    }
    return toState(context, id);
  },

  async update(context) {
    const cognito = context.client<Sdk>("cognito-idp");
    const { properties, previous, state } = context;
    const UserPoolId = state.physicalId;
    for (const name of fixed) {
      if (JSON.stringify(properties[name]) !== JSON.stringify(previous[name])) {
        throw invalidParameter(`Updates are not allowed for property - ${name}.`);
      }
    }
    const CustomAttributes = addedAttributes(previous, properties);
    // The second factor that is asked for now goes on to be, until the new settings are written.
    const { MfaConfiguration } = await cognito.GetUserPoolMfaConfig({ UserPoolId });
    const name = textOf(properties, "UserPoolName");
    await cognito.UpdateUserPool({
      UserPoolId,
      ...pick<Partial<CreateUserPoolRequest>>(properties, shared),
      ...(name !== undefined && { PoolName: name }),
      ...(MfaConfiguration && { MfaConfiguration }),
      UserPoolTags: tagsOf(context),
    });
    await setMfa(context, UserPoolId);
    if (CustomAttributes.length > 0) await cognito.AddCustomAttributes({ UserPoolId, CustomAttributes });
    return toState(context, UserPoolId);
  },

  delete: (context) =>
    unlessGone(context.client<Sdk>("cognito-idp").DeleteUserPool({ UserPoolId: context.state.physicalId })),
};

async function setMfa(context: ResourceContext, UserPoolId: string): Promise<void> {
  const { properties } = context;
  const configuration = textOf(properties, "MfaConfiguration") ?? "OFF";
  const enabled = listOf(properties, "EnabledMfas");
  const relyingParty = textOf(properties, "WebAuthnRelyingPartyID");
  const verification = textOf(properties, "WebAuthnUserVerification");
  const factor = textOf(properties, "WebAuthnFactorConfiguration");
  const isOn = configuration !== "OFF";
  const message = textOf(properties, "EmailAuthenticationMessage");
  const subject = textOf(properties, "EmailAuthenticationSubject");
  const sms = pick<SetUserPoolMfaConfigRequest["SmsMfaConfiguration"] & object>(properties, ["SmsConfiguration"]);
  const smsText = textOf(properties, "SmsAuthenticationMessage");
  const given = {
    UserPoolId,
    MfaConfiguration: configuration,
    ...(isOn && enabled.includes("SOFTWARE_TOKEN_MFA") && { SoftwareTokenMfaConfiguration: { Enabled: true } }),
    ...(isOn &&
      (enabled.includes("SMS_MFA") || enabled.length === 0) &&
      sms.SmsConfiguration && {
        SmsMfaConfiguration: { ...sms, ...(smsText !== undefined && { SmsAuthenticationMessage: smsText }) },
      }),
    ...(isOn &&
      enabled.includes("EMAIL_OTP") && {
        EmailMfaConfiguration: {
          ...(message !== undefined && { Message: message }),
          ...(subject !== undefined && { Subject: subject }),
        },
      }),
    ...((relyingParty ?? verification ?? factor) !== undefined && {
      WebAuthnConfiguration: {
        ...(relyingParty !== undefined && { RelyingPartyId: relyingParty }),
        ...(verification !== undefined && { UserVerification: verification }),
        ...(factor !== undefined && { FactorConfiguration: factor }),
      },
    }),
  };
  await context
    .client<Sdk>("cognito-idp")
    .SetUserPoolMfaConfig(
      pick<SetUserPoolMfaConfigRequest>(given, [
        "UserPoolId",
        "MfaConfiguration",
        "SoftwareTokenMfaConfiguration",
        "SmsMfaConfiguration",
        "EmailMfaConfiguration",
        "WebAuthnConfiguration",
      ]),
    );
}

function schemaOf(properties: Properties): SchemaAttributeType[] {
  return pick<{ Schema?: SchemaAttributeType[] }>(properties, ["Schema"]).Schema ?? [];
}

/** AWS: attributes can be added, and never changed or removed. */
function addedAttributes(previous: Properties, properties: Properties): SchemaAttributeType[] {
  const next = schemaOf(properties);
  for (const before of schemaOf(previous)) {
    const now = next.find(({ Name }) => Name === before.Name);
    if (JSON.stringify(now) !== JSON.stringify(before)) {
      throw invalidParameter("Existing schema attributes cannot be modified or deleted.");
    }
  }
  const had = new Set(schemaOf(previous).map(({ Name }) => Name));
  return next.filter(({ Name }) => !had.has(Name));
}

/** A pool that a process which died has made for this very resource: AWS lets several have one name. */
async function findOwn(context: ResourceContext, name: string): Promise<string | undefined> {
  const cognito = context.client<Sdk>("cognito-idp");
  let NextToken: string | undefined;
  do {
    const page = await cognito.ListUserPools({ MaxResults: 60, NextToken });
    for (const { Id: id, Name } of page.UserPools ?? []) {
      if (id === undefined || Name !== name) continue;
      const { UserPool } = await cognito.DescribeUserPool({ UserPoolId: id });
      if (isMadeFor(context, UserPool?.UserPoolTags)) return id;
    }
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return undefined;
}

function tagsOf(context: ResourceContext): Record<string, string> {
  return {
    ...context.tags,
    ...pick<{ UserPoolTags?: Record<string, string> }>(context.properties, ["UserPoolTags"]).UserPoolTags,
  };
}

function toState({ account, region }: ResourceContext, id: string) {
  const provider = `cognito-idp.${region}.amazonaws.com/${id}`;
  return {
    physicalId: id,
    attributes: {
      Arn: `arn:aws:cognito-idp:${region}:${account}:userpool/${id}`,
      ProviderName: provider,
      ProviderURL: `https://${provider}`,
      UserPoolId: id,
    },
  };
}
