import { unrecognizedClient } from "../../access/errors.ts";
import type { Principal } from "../../aws/principal.ts";
import type { Call, Operation, Service } from "../../wire/service.ts";

/**
 * AWS: IAM takes no sessions of federated users, and those of GetSessionToken only where a code of an MFA device was shown.
 * Source: "Compare AWS STS credentials" in the IAM user guide.
 */
export function withoutSessions(operations: Service["operations"]): Service["operations"] {
  return Object.fromEntries(Object.entries(operations).map(([name, operation]) => [name, guard(operation)]));
}

function guard(operation: Operation<never, unknown>): Operation<never, unknown> {
  return {
    authorize: (input, call: Call) => {
      if (isRefused(call.principal)) throw unrecognizedClient("query", "");
      return operation.authorize(input, call);
    },
    run: (input, call) => operation.run(input, call),
  };
}

function isRefused(principal: Principal): boolean {
  if (principal.type === "federatedUser") return true;
  if (principal.type !== "user" && principal.type !== "root") return false;
  return principal.tokenIssuedAt !== undefined && principal.mfaAt === undefined;
}
