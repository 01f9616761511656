import { createLru } from "../../../access/lru.ts";
import type { Principal } from "../../../aws/principal.ts";
import type { Clock } from "../../../kernel/clock.ts";
import type { IamPort } from "../../iam/port.ts";
import { integrationLimits as limits } from "./limits.ts";

/** Roles that integrations call with. */
export interface AssumedRoles {
  /** Rejects with AccessDenied where the role does not trust API Gateway, or is not there. */
  assume(roleArn: string, sourceArn: string): Promise<Principal>;
}

/**
 * A role that was assumed is used for a minute before its trust is asked again, as sessions outlive a change of trust on AWS;
 * what the role may do is evaluated at each call.
 */
export function createAssumedRoles(assumeRole: IamPort["assumeRole"], clock: Clock): AssumedRoles {
  const assumed = createLru<{ readonly principal: Principal; readonly until: number }>(limits.assumedRolesMax);
  return {
    assume: async (roleArn, sourceArn) => {
      const key = `${roleArn}\n${sourceArn}`;
      const known = assumed.get(key);
      if (known !== undefined && known.until > clock.now()) return known.principal;
      const principal = await assumeRole({ roleArn, service: "apigateway.amazonaws.com", sessionName, sourceArn });
      assumed.set(key, { principal, until: clock.now() + limits.assumedRoleMs });
      return principal;
    },
  };
}

/** As AWS names the sessions of API Gateway. */
const sessionName = "BackplaneAssumeRoleSession";
