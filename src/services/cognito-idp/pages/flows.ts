import type { ChallengeNameType } from "@aws-sdk/client-cognito-identity-provider";
import type { ClientOf } from "../../../wire/service.ts";
import type { AuthContext, AuthOutcome, Parameters } from "../auth/flow.ts";
import type { Sdk } from "../needs.ts";

/** The flows of signing in, as the pages go through them. */
export interface SignInFlows {
  /** InitiateAuth. */
  start(context: AuthContext, flow: "USER_PASSWORD_AUTH" | "USER_AUTH", parameters: Parameters): Promise<AuthOutcome>;
  /** RespondToAuthChallenge. */
  respond(
    context: AuthContext,
    name: ChallengeNameType,
    session: string | undefined,
    responses: Parameters,
  ): Promise<AuthOutcome>;
}

/** Operations of the API that anybody may call, as the pages call them. @param endpoint the platform's address */
export type PublicApi = (endpoint: string) => ClientOf<Sdk>;
