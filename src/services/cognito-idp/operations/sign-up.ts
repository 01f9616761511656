import type { Call, OperationsOf } from "../../../wire/service.ts";
import type { AuthContext } from "../auth/flow.ts";
import { openSignUp, sessionOfConfirmation, sessionOfSignUp } from "../auth/sign-up-session.ts";
import { checkSecretHash } from "../client-secrets.ts";
import { type Cognito, existingClient } from "../core.ts";
import type { Client, Pool } from "../model.ts";
import type { Sdk } from "../needs.ts";
import { confirmForgotPassword, forgotPassword } from "../users/reset.ts";
import { confirmSignUp, resendCode, signUp } from "../users/sign-up.ts";
import { unsigned } from "./access.ts";
import { refuseAnalytics } from "./informational.ts";

/** What users who are not signed in do with the own account. */
export function signUpOperations(cognito: Cognito) {
  const clientOf = async (input: {
    readonly ClientId: string | undefined;
    readonly SecretHash?: string | undefined;
    readonly Username: string | undefined;
    readonly AnalyticsMetadata?: object | undefined;
  }) => {
    refuseAnalytics(input.AnalyticsMetadata);
    const found = await existingClient(cognito, input.ClientId);
    checkSecretHash(cognito.seal, found.client, input.Username ?? "", input.SecretHash);
    return found;
  };

  return {
    SignUp: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, client } = await clientOf(input);
        const { user, delivery } = await signUp(cognito, {
          pool,
          client,
          endpoint: call.endpoint,
          username: input.Username ?? "",
          password: input.Password,
          attributes: input.UserAttributes,
          validationData: input.ValidationData,
          clientMetadata: input.ClientMetadata,
          now: call.now,
        });
        const isWaiting = user.status === "UNCONFIRMED";
        const session = isWaiting ? sessionOfSignUp(cognito, contextOf(pool, client, call), user) : undefined;
        return {
          UserConfirmed: user.status === "CONFIRMED",
          ...(delivery && { CodeDeliveryDetails: delivery }),
          UserSub: user.sub,
          ...(session !== undefined && { Session: session }),
        };
      },
    },

    ConfirmSignUp: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, client } = await clientOf(input);
        const context = contextOf(pool, client, call);
        const opened = input.Session === undefined ? undefined : await openSignUp(cognito, context, input.Session);
        const next = opened && sessionOfConfirmation(cognito, context, opened);
        await confirmSignUp(cognito, {
          pool,
          client,
          ...(opened && next && { session: { userKey: opened.progress.userKey, commit: next.commit } }),
          username: input.Username ?? "",
          code: input.ConfirmationCode ?? "",
          forceAliasCreation: input.ForceAliasCreation ?? false,
          clientMetadata: input.ClientMetadata,
          now: call.now,
        });
        return next ? { Session: next.session } : {};
      },
    },

    ResendConfirmationCode: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, client } = await clientOf(input);
        const details = await resendCode(cognito, {
          pool,
          client,
          endpoint: call.endpoint,
          username: input.Username ?? "",
          clientMetadata: input.ClientMetadata,
          now: call.now,
        });
        return { CodeDeliveryDetails: details };
      },
    },

    ForgotPassword: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, client } = await clientOf(input);
        const details = await forgotPassword(cognito, {
          pool,
          client,
          username: input.Username ?? "",
          clientMetadata: input.ClientMetadata,
          now: call.now,
        });
        return { CodeDeliveryDetails: details };
      },
    },

    ConfirmForgotPassword: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, client } = await clientOf(input);
        await confirmForgotPassword(cognito, {
          pool,
          client,
          username: input.Username ?? "",
          code: input.ConfirmationCode ?? "",
          password: input.Password ?? "",
          clientMetadata: input.ClientMetadata,
          now: call.now,
        });
        return {};
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function contextOf(pool: Pool, client: Client, call: Call): AuthContext {
  return { pool, client, via: "api", endpoint: call.endpoint, now: call.now };
}
