import type { Reader } from "../../../kernel/store/store.ts";
import type { Call } from "../../../wire/service.ts";
import { accessDenied, alreadyExists, invalidUserType, noSuchEntity } from "../errors.ts";
import { iamLimits } from "../limits.ts";
import {
  checkPassword,
  checkPasswordRules,
  checkReuse,
  deleteLoginProfile,
  expiryOf,
  hashPassword,
  passwordPolicyKey,
  readLoginProfile,
  readPasswordPolicy,
  writeLoginProfile,
  type LoginProfile,
  type PasswordPolicy,
} from "../passwords.ts";
import { present } from "../rules.ts";
import { change, existing, onEntity, onResource, type IamOperations, type OperationNeeds } from "./needs.ts";
import { userNameOf } from "./users.ts";

/** Passwords of users, and the rules of the account for them. */
export function passwordOperations({ store }: OperationNeeds) {
  const onUser = (name: string | undefined, call: Call) => onEntity(store, call, "user", userNameOf(name, call));
  return {
    CreateLoginProfile: {
      authorize: (input, call) => onUser(input.UserName, call),
      async run(input, call) {
        const password = present(input.Password);
        const { user } = await store.read((reader) => checkNew(reader, call, input.UserName, password));
        const hash = await hashPassword(password);
        await store.transact(async (tx) => {
          await checkNew(tx, call, user.name, password);
          writeLoginProfile(tx, call.account, user.id, {
            v: 1,
            password: hash,
            createdAt: call.now,
            changedAt: call.now,
            resetRequired: input.PasswordResetRequired ?? false,
            earlier: [],
            failures: 0,
            lockedUntil: 0,
          });
        });
        return {
          LoginProfile: {
            UserName: user.name,
            CreateDate: new Date(call.now),
            PasswordResetRequired: input.PasswordResetRequired ?? false,
          },
        };
      },
    },
    GetLoginProfile: {
      authorize: (input, call) => onUser(input.UserName, call),
      run: (input, call) =>
        store.read(async (reader) => {
          const user = await existing(reader, call, "user", userNameOf(input.UserName, call));
          const profile = await existingProfile(reader, call, user);
          return {
            LoginProfile: {
              UserName: user.name,
              CreateDate: new Date(profile.createdAt),
              PasswordResetRequired: profile.resetRequired,
            },
          };
        }),
    },
    UpdateLoginProfile: {
      authorize: (input, call) => onUser(input.UserName, call),
      async run(input, call) {
        const name = present(input.UserName);
        const before = await store.read(async (reader) => {
          const user = await existing(reader, call, "user", name);
          return { user, profile: await existingProfile(reader, call, user), policy: await policyOf(reader, call) };
        });
        const { Password: password } = input;
        if (password !== undefined) {
          checkPasswordRules(password, before.policy, before.user.name);
          await checkReuse(password, before.profile, before.policy);
        }
        const hash = password === undefined ? undefined : await hashPassword(password);
        return await change(store, async (tx) => {
          const profile = await existingProfile(tx, call, before.user);
          const changed = hash ? withPassword(profile, hash, call.now) : profile;
          const resetRequired = input.PasswordResetRequired ?? profile.resetRequired;
          writeLoginProfile(tx, call.account, before.user.id, { ...changed, resetRequired });
        });
      },
    },
    DeleteLoginProfile: {
      authorize: (input, call) => onUser(input.UserName, call),
      run: (input, call) =>
        change(store, async (tx) => {
          const user = await existing(tx, call, "user", userNameOf(input.UserName, call));
          await existingProfile(tx, call, user);
          deleteLoginProfile(tx, call.account, user.id);
        }),
    },
    ChangePassword: {
      async authorize(_input, call) {
        if (call.principal.type !== "user") throw invalidUserType();
        const policy = await store.read((reader) => policyOf(reader, call));
        // AWS: the account's policy lets every user do it, without a policy of the user's own.
        return policy?.usersMayChange ? [] : await onUser(undefined, call);
      },
      async run(input, call) {
        const { principal } = call;
        if (principal.type !== "user") throw invalidUserType();
        const { profile, policy } = await store.read(async (reader) => ({
          profile: await existingProfile(reader, call, { id: principal.userId, name: principal.userName }),
          policy: await policyOf(reader, call),
        }));
        const isRight = await checkPassword(
          store,
          call.account,
          principal.userId,
          present(input.OldPassword),
          call.now,
        );
        if (!isRight) throw accessDenied("The old password was incorrect.");
        const expiry = expiryOf(profile, policy);
        if (policy?.hardExpiry && expiry !== undefined && expiry <= call.now) {
          throw accessDenied("The password has expired and can only be changed by an administrator.");
        }
        const password = present(input.NewPassword);
        checkPasswordRules(password, policy, principal.userName);
        await checkReuse(password, profile, policy);
        const hash = await hashPassword(password);
        return await change(store, async (tx) => {
          const known = await existingProfile(tx, call, { id: principal.userId, name: principal.userName });
          const changed = withPassword(known, hash, call.now);
          writeLoginProfile(tx, call.account, principal.userId, { ...changed, resetRequired: false });
        });
      },
    },
    UpdateAccountPasswordPolicy: {
      authorize: (_input, call) => onResource(call, "*"),
      run: (input, call) =>
        change(store, async (tx) => {
          // AWS: what is left out goes back to its default.
          const policy: PasswordPolicy = {
            v: 1,
            minimumLength: input.MinimumPasswordLength ?? 6,
            symbols: input.RequireSymbols ?? false,
            numbers: input.RequireNumbers ?? false,
            uppercase: input.RequireUppercaseCharacters ?? false,
            lowercase: input.RequireLowercaseCharacters ?? false,
            usersMayChange: input.AllowUsersToChangePassword ?? false,
            maxAgeDays: input.MaxPasswordAge,
            reusePrevention: input.PasswordReusePrevention,
            hardExpiry: input.HardExpiry,
          };
          tx.set(passwordPolicyKey(call.account), policy);
        }),
    },
    GetAccountPasswordPolicy: {
      authorize: (_input, call) => onResource(call, "*"),
      async run(_input, call) {
        const policy = await store.read((reader) => existingPolicy(reader, call));
        return {
          PasswordPolicy: {
            MinimumPasswordLength: policy.minimumLength,
            RequireSymbols: policy.symbols,
            RequireNumbers: policy.numbers,
            RequireUppercaseCharacters: policy.uppercase,
            RequireLowercaseCharacters: policy.lowercase,
            AllowUsersToChangePassword: policy.usersMayChange,
            ExpirePasswords: policy.maxAgeDays !== undefined,
            ...(policy.maxAgeDays !== undefined && { MaxPasswordAge: policy.maxAgeDays }),
            ...(policy.reusePrevention !== undefined && { PasswordReusePrevention: policy.reusePrevention }),
            ...(policy.hardExpiry !== undefined && { HardExpiry: policy.hardExpiry }),
          },
        };
      },
    },
    DeleteAccountPasswordPolicy: {
      authorize: (_input, call) => onResource(call, "*"),
      run: (_input, call) =>
        change(store, async (tx) => {
          await existingPolicy(tx, call);
          tx.delete(passwordPolicyKey(call.account));
        }),
    },
  } satisfies IamOperations;
}

const policyOf = (reader: Reader, call: Call) => readPasswordPolicy(reader, call.account);

async function existingPolicy(reader: Reader, call: Call): Promise<PasswordPolicy> {
  const policy = await policyOf(reader, call);
  if (!policy) throw noSuchEntity(`The Password Policy with domain name ${call.account} cannot be found.`);
  return policy;
}

async function checkNew(reader: Reader, call: Call, given: string | undefined, password: string) {
  const user = await existing(reader, call, "user", userNameOf(given, call));
  if (await readLoginProfile(reader, call.account, user.id)) {
    throw alreadyExists(`Login Profile for user ${user.name} already exists.`);
  }
  checkPasswordRules(password, await policyOf(reader, call), user.name);
  return { user };
}

async function existingProfile(
  reader: Reader,
  call: Call,
  user: { readonly id: string; readonly name: string },
): Promise<LoginProfile> {
  const profile = await readLoginProfile(reader, call.account, user.id);
  if (!profile) throw noSuchEntity(`Login Profile for User ${user.name} cannot be found.`);
  return profile;
}

function withPassword(profile: LoginProfile, password: LoginProfile["password"], now: number): LoginProfile {
  const earlier = [profile.password, ...profile.earlier].slice(0, iamLimits.earlierPasswordsKept);
  return { ...profile, password, earlier, changedAt: now, failures: 0, lockedUntil: 0 };
}
