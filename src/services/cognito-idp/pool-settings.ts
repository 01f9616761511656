import type {
  CreateUserPoolRequest,
  UpdateUserPoolRequest,
  UserPoolType,
} from "@aws-sdk/client-cognito-identity-provider";
import { notImplemented } from "../../aws/error.ts";
import { featureUnavailable, invalidParameter } from "./errors.ts";
import { type Pool, poolArn, type PoolMfa, type PoolSettings } from "./model.ts";
import { schemaOf } from "./schema.ts";

type Given = Omit<CreateUserPoolRequest, "PoolName" | "Schema" | "UserPoolTags"> & Partial<UpdateUserPoolRequest>;

/** A pool's settings from a request, with AWS's defaults. @throws the refusal of what is not built, or does not fit together */
export function toSettings(operation: string, given: Given): PoolSettings {
  refuseUnbuilt(operation, given);
  const { Policies: policies } = given;
  const password = policies?.PasswordPolicy;
  const factors = policies?.SignInPolicy?.AllowedFirstAuthFactors;
  if (factors !== undefined && !factors.includes("PASSWORD")) {
    throw invalidParameter("Invalid SignInPolicy: AllowedFirstAuthFactors must include PASSWORD");
  }
  if (factors?.includes("SOFTWARE_TOKEN")) {
    throw invalidParameter("Invalid SignInPolicy: SOFTWARE_TOKEN is no first factor");
  }
  const tier = given.UserPoolTier ?? "ESSENTIALS";
  const lambda = { ...given.LambdaConfig };
  if (tier === "LITE") {
    const version = lambda.PreTokenGenerationConfig?.LambdaVersion;
    if ((factors?.length ?? 1) > 1) throw featureUnavailable("Choice-based sign-in");
    if (version !== undefined && version !== "V1_0") throw featureUnavailable("Access token customization");
    if ((password?.PasswordHistorySize ?? 0) > 0) throw featureUnavailable("Password reuse prevention");
  }
  // AWS: the two ways to name the function of this trigger must agree, and both are told.
  const preToken = lambda.PreTokenGenerationConfig?.LambdaArn ?? lambda.PreTokenGeneration;
  if (lambda.PreTokenGeneration !== undefined && preToken !== lambda.PreTokenGeneration) {
    throw invalidParameter("PreTokenGeneration and PreTokenGenerationConfig must have the same Lambda function ARN");
  }
  const created = given.AdminCreateUserConfig;
  const days = password?.TemporaryPasswordValidityDays ?? created?.UnusedAccountValidityDays ?? 7;
  const template = given.VerificationMessageTemplate;
  const emailMessage = template?.EmailMessage ?? given.EmailVerificationMessage;
  const emailSubject = template?.EmailSubject ?? given.EmailVerificationSubject;
  const smsMessage = template?.SmsMessage ?? given.SmsVerificationMessage;
  checkAttributeUpdates(given);
  return {
    Policies: {
      PasswordPolicy:
        password === undefined
          ? {
              MinimumLength: 8,
              RequireUppercase: true,
              RequireLowercase: true,
              RequireNumbers: true,
              RequireSymbols: true,
              TemporaryPasswordValidityDays: days,
            }
          : {
              MinimumLength: password.MinimumLength ?? 6,
              RequireUppercase: password.RequireUppercase ?? false,
              RequireLowercase: password.RequireLowercase ?? false,
              RequireNumbers: password.RequireNumbers ?? false,
              RequireSymbols: password.RequireSymbols ?? false,
              ...(password.PasswordHistorySize !== undefined && { PasswordHistorySize: password.PasswordHistorySize }),
              TemporaryPasswordValidityDays: days,
            },
      SignInPolicy: { AllowedFirstAuthFactors: factors ?? ["PASSWORD"] },
    },
    DeletionProtection: given.DeletionProtection ?? "INACTIVE",
    LambdaConfig: {
      ...lambda,
      ...(preToken !== undefined && {
        PreTokenGeneration: preToken,
        PreTokenGenerationConfig: lambda.PreTokenGenerationConfig ?? { LambdaVersion: "V1_0", LambdaArn: preToken },
      }),
    },
    ...(given.AutoVerifiedAttributes && { AutoVerifiedAttributes: given.AutoVerifiedAttributes }),
    ...(given.AliasAttributes && { AliasAttributes: given.AliasAttributes }),
    ...(given.UsernameAttributes && { UsernameAttributes: given.UsernameAttributes }),
    ...(smsMessage !== undefined && { SmsVerificationMessage: smsMessage }),
    ...(emailMessage !== undefined && { EmailVerificationMessage: emailMessage }),
    ...(emailSubject !== undefined && { EmailVerificationSubject: emailSubject }),
    VerificationMessageTemplate: {
      ...template,
      ...(smsMessage !== undefined && { SmsMessage: smsMessage }),
      ...(emailMessage !== undefined && { EmailMessage: emailMessage }),
      ...(emailSubject !== undefined && { EmailSubject: emailSubject }),
      DefaultEmailOption: template?.DefaultEmailOption ?? "CONFIRM_WITH_CODE",
    },
    ...(given.SmsAuthenticationMessage !== undefined && { SmsAuthenticationMessage: given.SmsAuthenticationMessage }),
    UserAttributeUpdateSettings: given.UserAttributeUpdateSettings ?? { AttributesRequireVerificationBeforeUpdate: [] },
    ...(given.DeviceConfiguration && {
      DeviceConfiguration: {
        ChallengeRequiredOnNewDevice: given.DeviceConfiguration.ChallengeRequiredOnNewDevice ?? false,
        DeviceOnlyRememberedOnUserPrompt: given.DeviceConfiguration.DeviceOnlyRememberedOnUserPrompt ?? false,
      },
    }),
    EmailConfiguration: { EmailSendingAccount: "COGNITO_DEFAULT", ...given.EmailConfiguration },
    ...(given.SmsConfiguration && { SmsConfiguration: given.SmsConfiguration }),
    AdminCreateUserConfig: {
      AllowAdminCreateUserOnly: created?.AllowAdminCreateUserOnly ?? false,
      UnusedAccountValidityDays: days,
      ...(created?.InviteMessageTemplate && { InviteMessageTemplate: created.InviteMessageTemplate }),
    },
    ...(given.UserPoolAddOns && { UserPoolAddOns: given.UserPoolAddOns }),
    UsernameConfiguration: given.UsernameConfiguration ?? { CaseSensitive: false },
    AccountRecoverySetting: given.AccountRecoverySetting ?? {
      RecoveryMechanisms: [
        { Priority: 1, Name: "verified_email" },
        { Priority: 2, Name: "verified_phone_number" },
      ],
    },
    UserPoolTier: tier,
  };
}

function refuseUnbuilt(operation: string, given: Given): void {
  const refuse = (name: string) => notImplemented(`The parameter ${name} of ${operation}`);
  const mode = given.UserPoolAddOns?.AdvancedSecurityMode;
  if (mode !== undefined && mode !== "OFF") throw refuse(`UserPoolAddOns.AdvancedSecurityMode=${mode}`);
  if (given.UserPoolAddOns?.AdvancedSecurityAdditionalFlows) {
    throw refuse("UserPoolAddOns.AdvancedSecurityAdditionalFlows");
  }
  for (const name of ["CustomSMSSender", "CustomEmailSender", "KMSKeyID", "InboundFederation"] as const) {
    if (given.LambdaConfig?.[name] !== undefined) throw refuse(`LambdaConfig.${name}`);
  }
  if (given.KeyConfiguration && given.KeyConfiguration.KeyType !== "AWS_OWNED_KEY") throw refuse("KeyConfiguration");
  if (given.IssuerConfiguration && given.IssuerConfiguration.Type !== "ORIGINAL") throw refuse("IssuerConfiguration");
  if (given.AcrConfiguration !== undefined) throw refuse("AcrConfiguration");
  if (given.EmailConfiguration?.ConfigurationSet !== undefined) throw refuse("EmailConfiguration.ConfigurationSet");
  if (given.SmsConfiguration?.EumsSms !== undefined) throw refuse("SmsConfiguration.EumsSms");
}

function checkAttributeUpdates(given: Given): void {
  const updates = given.UserAttributeUpdateSettings?.AttributesRequireVerificationBeforeUpdate ?? [];
  const missing = updates.find((name) => !given.AutoVerifiedAttributes?.includes(name));
  if (missing !== undefined) {
    throw invalidParameter(
      "AttributesRequireVerificationBeforeUpdate can only contain attributes that are in AutoVerifiedAttributes",
    );
  }
}

/** The second factors of a pool from CreateUserPool's or UpdateUserPool's shorthand. */
export function toPoolMfa(given: Given, before: PoolMfa | undefined): PoolMfa {
  const configuration = given.MfaConfiguration ?? "OFF";
  const sms = given.SmsConfiguration
    ? {
        ...(given.SmsAuthenticationMessage !== undefined && {
          SmsAuthenticationMessage: given.SmsAuthenticationMessage,
        }),
        SmsConfiguration: given.SmsConfiguration,
      }
    : before?.sms;
  if (configuration !== "OFF" && !sms && !before?.softwareToken && !before?.email) {
    // AWS: text messages are the only factor that these requests can set up.
    throw invalidParameter(
      "SMS configuration and Auto verification for phone_number are required when MFA is required/optional",
    );
  }
  return { softwareToken: false, ...before, configuration, ...(sms && { sms }) };
}

export function describePool(pool: Pool, users: number): UserPoolType {
  const { settings } = pool;
  return {
    Id: pool.id,
    Name: pool.name,
    ...settings,
    LastModifiedDate: new Date(pool.updatedAt),
    CreationDate: new Date(pool.createdAt),
    SchemaAttributes: [...schemaOf(pool)],
    MfaConfiguration: pool.mfa.configuration,
    EstimatedNumberOfUsers: users,
    UserPoolTags: { ...pool.tags },
    ...(pool.domain !== undefined && { Domain: pool.domain }),
    ...(pool.customDomain !== undefined && { CustomDomain: pool.customDomain }),
    Arn: poolArn(pool),
  };
}
