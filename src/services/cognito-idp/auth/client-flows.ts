import type { AuthFlowType } from "@aws-sdk/client-cognito-identity-provider";
import { invalidParameter } from "../errors.ts";
import type { Client } from "../model.ts";

/** AWS: a client that names none has these. */
const defaultFlows = ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH"];

/** Whether a client may sign in so. The old names (without ALLOW_) leave SRP and refreshing on. */
export function allowsFlow(client: Client, flow: AuthFlowType): boolean {
  const listed: readonly string[] = client.settings.ExplicitAuthFlows ?? defaultFlows;
  const flows = listed.length === 0 ? defaultFlows : listed;
  const isOld = flows.every((each) => !each.startsWith("ALLOW_"));
  switch (flow) {
    case "USER_SRP_AUTH":
      return flows.includes("ALLOW_USER_SRP_AUTH") || (isOld && !flows.includes("CUSTOM_AUTH_FLOW_ONLY"));
    case "USER_PASSWORD_AUTH":
      return flows.includes("ALLOW_USER_PASSWORD_AUTH") || flows.includes("USER_PASSWORD_AUTH");
    case "ADMIN_NO_SRP_AUTH":
    case "ADMIN_USER_PASSWORD_AUTH":
      return flows.includes("ALLOW_ADMIN_USER_PASSWORD_AUTH") || flows.includes("ADMIN_NO_SRP_AUTH");
    case "CUSTOM_AUTH":
      return flows.includes("ALLOW_CUSTOM_AUTH") || flows.includes("CUSTOM_AUTH_FLOW_ONLY");
    case "USER_AUTH":
      return flows.includes("ALLOW_USER_AUTH");
    case "REFRESH_TOKEN":
    case "REFRESH_TOKEN_AUTH":
      return flows.includes("ALLOW_REFRESH_TOKEN_AUTH") || isOld;
    default:
      return false;
  }
}

/** @throws InvalidParameterException */
export function assertFlow(client: Client, flow: AuthFlowType): void {
  if (allowsFlow(client, flow)) return;
  switch (flow) {
    case "ADMIN_NO_SRP_AUTH":
    case "ADMIN_USER_PASSWORD_AUTH":
      throw invalidParameter("Auth flow not enabled for this client");
    case "USER_SRP_AUTH":
      throw invalidParameter("USER_SRP_AUTH is not enabled for the client.");
    default:
      throw invalidParameter(`${flow} flow not enabled for this client`);
  }
}
