import type {
  CustomDomainConfigType,
  DeviceConfigurationType,
  EmailMfaConfigType,
  GroupType,
  IdentityProviderType,
  ResourceServerScopeType,
  SchemaAttributeType,
  SmsMfaConfigType,
  UserPoolClientType,
  UserPoolType,
  WebAuthnConfigurationType,
} from "@aws-sdk/client-cognito-identity-provider";
import { toArn } from "../../aws/arn.ts";
import type { Key, Reader, Transaction } from "../../kernel/store/store.ts";

/** Whose pools, and where. */
export interface Place {
  readonly account: string;
  readonly region: string;
}

/** A user pool as stored. Its id is unique on the platform: `us-east-1_AbCdEfGhI`. */
export interface Pool extends Place {
  readonly v: 1;
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** In AWS's shape, with defaults filled in. */
  readonly settings: PoolSettings;
  /** Custom attributes, and standard ones that were given other rules. Names as users' attributes have them: `custom:tenant`. */
  readonly schema: readonly SchemaAttributeType[];
  readonly mfa: PoolMfa;
  readonly tags: Readonly<Record<string, string>>;
  /** Prefix domain and custom domain, where the pool has them. */
  readonly domain?: string;
  readonly customDomain?: string;
}

export type PoolSettings = Pick<
  UserPoolType,
  | "Policies"
  | "DeletionProtection"
  | "LambdaConfig"
  | "AutoVerifiedAttributes"
  | "AliasAttributes"
  | "UsernameAttributes"
  | "SmsVerificationMessage"
  | "EmailVerificationMessage"
  | "EmailVerificationSubject"
  | "VerificationMessageTemplate"
  | "SmsAuthenticationMessage"
  | "UserAttributeUpdateSettings"
  | "EmailConfiguration"
  | "SmsConfiguration"
  | "AdminCreateUserConfig"
  | "UserPoolAddOns"
  | "UsernameConfiguration"
  | "AccountRecoverySetting"
  | "UserPoolTier"
> & { readonly DeviceConfiguration?: DeviceConfigurationType | undefined };

/** What SetUserPoolMfaConfig sets. */
export interface PoolMfa {
  readonly configuration: "OFF" | "ON" | "OPTIONAL";
  readonly sms?: SmsMfaConfigType;
  readonly softwareToken: boolean;
  readonly email?: EmailMfaConfigType;
  readonly webAuthn?: WebAuthnConfigurationType;
}

/** An app client. Its id is unique on the platform. */
export interface Client {
  readonly v: 1;
  readonly id: string;
  readonly poolId: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly settings: ClientSettings;
  /** At most two; the first is the one that DescribeUserPoolClient tells. Sealed. */
  readonly secrets: readonly ClientSecret[];
}

export type ClientSettings = Omit<
  UserPoolClientType,
  "UserPoolId" | "ClientId" | "ClientSecret" | "LastModifiedDate" | "CreationDate"
>;

export interface ClientSecret {
  readonly id: string;
  readonly createdAt: number;
  readonly sealed: Uint8Array;
}

export type UserStatus = "UNCONFIRMED" | "CONFIRMED" | "FORCE_CHANGE_PASSWORD" | "RESET_REQUIRED" | "EXTERNAL_PROVIDER";

export type MfaKind = "SMS_MFA" | "SOFTWARE_TOKEN_MFA" | "EMAIL_OTP";

/** A user. */
export interface User {
  readonly v: 1;
  readonly poolId: string;
  /** As it is told: what was given, or the `sub` where a pool's user names are email addresses or phone numbers. */
  readonly username: string;
  /** The user's key: the name as it is compared. */
  readonly key: string;
  readonly sub: string;
  /** All but `sub`: texts, as AWS has them (`email_verified` is "true" or "false"). */
  readonly attributes: Readonly<Record<string, string>>;
  readonly status: UserStatus;
  readonly enabled: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Sealed `PasswordRecord`. Absent: the user has none. */
  readonly password?: Uint8Array;
  /** Until when a temporary password may be used, epoch milliseconds. */
  readonly temporaryUntil?: number;
  readonly mfa: readonly MfaKind[];
  readonly preferredMfa?: MfaKind;
  /** Whether a passkey is two factors, where the pool lets it be (WebAuthnMfaSettings). Absent: as the pool says. */
  readonly webAuthnMfa?: boolean;
  /** The verified secret of an authenticator app, sealed; the last time step whose code was used. */
  readonly totp?: { readonly secret: Uint8Array; readonly lastStep: number; readonly name?: string };
  /** Set by SetUserSettings, the old way to ask for codes by SMS. */
  readonly mfaOptions?: readonly { readonly DeliveryMedium: "SMS" | "EMAIL"; readonly AttributeName: string }[];
  /** Tokens that were issued before count no more, epoch milliseconds. */
  readonly signedOutAt?: number;
  /** Of external providers. */
  readonly identities?: readonly LinkedIdentity[];
}

/** A user of an external provider who is this user. */
export interface LinkedIdentity {
  readonly userId: string;
  readonly providerName: string;
  readonly providerType: string;
  readonly issuer: string | null;
  readonly primary: boolean;
  readonly dateCreated: number;
}

export interface Group {
  readonly v: 1;
  readonly name: string;
  readonly description?: GroupType["Description"];
  readonly roleArn?: string;
  readonly precedence?: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface ResourceServer {
  readonly v: 1;
  readonly identifier: string;
  readonly name: string;
  readonly scopes: readonly ResourceServerScopeType[];
}

/** A domain: a prefix (unique in a region), or a host of the pool's owner (unique on the platform). */
export interface Domain extends Place {
  readonly v: 1;
  readonly name: string;
  readonly poolId: string;
  readonly custom?: CustomDomainConfigType;
  readonly managedLoginVersion: number;
  readonly createdAt: number;
}

export interface IdentityProvider {
  readonly v: 1;
  readonly name: string;
  readonly type: NonNullable<IdentityProviderType["ProviderType"]>;
  /** `client_secret` is sealed apart. */
  readonly details: Readonly<Record<string, string>>;
  readonly sealedSecret?: Uint8Array;
  readonly attributeMapping: Readonly<Record<string, string>>;
  readonly identifiers: readonly string[];
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A device of a user. Confirmed once the app has given a verifier for it. */
export interface Device {
  readonly v: 1;
  readonly key: string;
  readonly groupKey: string;
  readonly name?: string;
  readonly remembered: boolean;
  /** Sealed `{ salt, verifier }`. Absent: not confirmed yet. */
  readonly verifier?: Uint8Array;
  readonly lastIpAddress?: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly authenticatedAt: number;
}

export interface Passkey {
  readonly v: 1;
  /** base64url */
  readonly id: string;
  readonly publicKey: Uint8Array;
  readonly counter: number;
  readonly name: string;
  readonly relyingPartyId: string;
  readonly transports: readonly string[];
  readonly attachment?: string;
  readonly createdAt: number;
}

/** What refresh tokens of one sign-in share. Deleted when it is revoked; what it is gone for counts no more. */
export interface Session {
  readonly v: 1;
  /** `origin_jti` */
  readonly id: string;
  readonly poolId: string;
  readonly clientId: string;
  readonly userKey: string;
  /** Epoch milliseconds. */
  readonly authTime: number;
  readonly expiresAt: number;
  /** Of an OAuth grant. Absent: signed in by the API. */
  readonly scopes?: readonly string[];
  readonly deviceKey?: string;
  /** With rotation: the id of the token that is good now, and of the one before, which is good until then. */
  readonly rotation?: {
    readonly current: string;
    readonly previous?: string;
    readonly previousUntil?: number;
  };
  readonly eventId: string;
}

/** A code that was sent to a user. */
export interface Code {
  readonly v: 1;
  readonly sealed: Uint8Array;
  readonly expiresAt: number;
  /** How many were sent in the hour that began then. */
  readonly window: { readonly from: number; readonly count: number };
  /** Wrong guesses so far. */
  readonly attempts: number;
  /** Where it was sent: for the attribute that it verifies, the value that it verifies. */
  readonly destination: string;
  readonly attribute?: string;
}

export type CodePurpose = "signUp" | "reset" | "email" | "phone_number";

export const root = "cognito-idp";

export function poolKey(poolId: string): Key {
  return [root, "pool", poolId];
}

export function poolsPrefix(place: Place): Key {
  return [root, "poolOf", place.account, place.region];
}

/** Keys of what is in a pool. All but the pool's and its clients' own records are below `[root, kind, poolId]`. */
export function inPool(
  kind:
    | "clientOf"
    | "group"
    | "resourceServer"
    | "provider"
    | "providerIdentifier"
    | "branding"
    | "customization"
    | "import"
    | "user"
    | "find"
    | "alias"
    | "sub"
    | "linked"
    | "member"
    | "groupOf"
    | "device"
    | "passkey"
    | "session"
    | "code"
    | "failures"
    | "pending"
    | "update"
    | "terms"
    | "keys",
  poolId: string,
  ...rest: Key
): Key {
  return [root, kind, poolId, ...rest];
}

/** What is deleted with a pool. */
export const kindsOfPool = [
  "clientOf",
  "group",
  "resourceServer",
  "provider",
  "providerIdentifier",
  "branding",
  "customization",
  "import",
  "user",
  "find",
  "alias",
  "sub",
  "linked",
  "member",
  "groupOf",
  "device",
  "passkey",
  "session",
  "code",
  "failures",
  "pending",
  "update",
  "terms",
  "keys",
] as const satisfies readonly Parameters<typeof inPool>[0][];

export function clientKey(clientId: string): Key {
  return [root, "client", clientId];
}

export function domainKey(name: string): Key {
  return [root, "domain", name];
}

export function readPool(reader: Reader, poolId: string): Promise<Pool | undefined> {
  return reader.get<Pool>(poolKey(poolId));
}

export function writePool(tx: Transaction, pool: Pool): void {
  tx.set(poolKey(pool.id), pool);
}

export function readClient(reader: Reader, clientId: string): Promise<Client | undefined> {
  return reader.get<Client>(clientKey(clientId));
}

export function poolArn(pool: Pool): string {
  return toArn("cognito-idp", pool.region, pool.account, `userpool/${pool.id}`);
}

/** Which record ends when: swept by a job. */
export function endKey(at: number, key: Key): Key {
  return [root, "ends", at, ...key];
}
