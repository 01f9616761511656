import type { OperationsOf } from "../../../wire/service.ts";
import { completeRegistration, startRegistration } from "../auth/passkeys.ts";
import type { Cognito } from "../core.ts";
import { resourceNotFound, webAuthn } from "../errors.ts";
import { cognitoLimits as limits } from "../limits.ts";
import { inPool, type Passkey, type Pool } from "../model.ts";
import type { Sdk } from "../needs.ts";
import { callerOf } from "../tokens/verify.ts";
import { unsigned } from "./access.ts";
import { pageOf } from "./paging.ts";

export function passkeyOperations(cognito: Cognito) {
  const { store } = cognito;
  return {
    StartWebAuthnRegistration: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, user } = await callerOf(cognito, input.AccessToken, call.now);
        assertEnabled(pool);
        return { CredentialCreationOptions: await startRegistration(cognito, pool, user, call.endpoint, call.now) };
      },
    },
    CompleteWebAuthnRegistration: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, user } = await callerOf(cognito, input.AccessToken, call.now);
        assertEnabled(pool);
        await completeRegistration(cognito, pool, user, input.Credential, call.now, limits.passkeysMax);
        return {};
      },
    },
    ListWebAuthnCredentials: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, user } = await callerOf(cognito, input.AccessToken, call.now);
        const prefix = inPool("passkey", pool.id, user.key);
        const asked = { limit: input.MaxResults ?? limits.passkeysMax, token: input.NextToken };
        const page = await store.read((reader) => pageOf<Passkey>(reader, prefix, asked));
        return {
          Credentials: page.values.map((passkey) => ({
            CredentialId: passkey.id,
            FriendlyCredentialName: passkey.name,
            RelyingPartyId: passkey.relyingPartyId,
            ...(passkey.attachment !== undefined && { AuthenticatorAttachment: passkey.attachment }),
            AuthenticatorTransports: [...passkey.transports],
            CreatedAt: new Date(passkey.createdAt),
          })),
          ...(page.nextToken !== undefined && { NextToken: page.nextToken }),
        };
      },
    },
    DeleteWebAuthnCredential: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, user } = await callerOf(cognito, input.AccessToken, call.now);
        await store.transact(async (tx) => {
          const key = inPool("passkey", pool.id, user.key, input.CredentialId ?? "");
          if (!(await tx.get(key))) throw resourceNotFound("The credential does not exist.");
          tx.delete(key);
        });
        return {};
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function assertEnabled(pool: Pool): void {
  const factors: readonly string[] = pool.settings.Policies?.SignInPolicy?.AllowedFirstAuthFactors ?? [];
  if (!factors.includes("WEB_AUTHN")) {
    throw webAuthn("NotEnabled", "Passkeys are not enabled for the user pool.");
  }
}
