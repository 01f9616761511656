import type { AttributeType, UserType } from "@aws-sdk/client-cognito-identity-provider";
import type { User } from "../model.ts";

/** A user's attributes as operations answer them, `sub` first. */
export function describeAttributes(user: User, mayRead: (name: string) => boolean = () => true): AttributeType[] {
  const identities =
    user.identities && user.identities.length > 0
      ? [{ Name: "identities", Value: JSON.stringify(user.identities.map(describeIdentity)) }]
      : [];
  return [
    { Name: "sub", Value: user.sub },
    ...Object.entries(user.attributes)
      .filter(([name]) => mayRead(name))
      .map(([Name, Value]) => ({ Name, Value })),
    ...(mayRead("identities") ? identities : []),
  ];
}

function describeIdentity(identity: NonNullable<User["identities"]>[number]) {
  const { userId, providerName, providerType, issuer, primary, dateCreated } = identity;
  return { userId, providerName, providerType, issuer, primary, dateCreated };
}

/** @param only the attributes asked for; absent: all */
export function describeUser(user: User, only?: readonly string[]): UserType {
  const attributes = describeAttributes(user);
  return {
    Username: user.username,
    Attributes: only ? attributes.filter(({ Name }) => only.includes(Name ?? "")) : attributes,
    UserCreateDate: new Date(user.createdAt),
    UserLastModifiedDate: new Date(user.updatedAt),
    Enabled: user.enabled,
    UserStatus: user.status,
    ...(user.mfaOptions && { MFAOptions: user.mfaOptions.map((option) => ({ ...option })) }),
  };
}

/** How a user's second factors are told: the same by GetUser and AdminGetUser. */
export function describeMfa(user: User) {
  return {
    ...(user.mfaOptions && { MFAOptions: user.mfaOptions.map((option) => ({ ...option })) }),
    ...(user.preferredMfa !== undefined && { PreferredMfaSetting: user.preferredMfa }),
    ...(user.mfa.length > 0 && { UserMFASettingList: [...user.mfa] }),
  };
}
