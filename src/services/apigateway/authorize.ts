import type { AuthorizationRequest } from "../../access/authorization.ts";
import type { Call } from "../../wire/service.ts";

/** API Gateway's actions are HTTP methods, on its own URLs: `apigateway:POST` on `arn:aws:apigateway:region::/apis`. */
export function may(
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
  call: Call,
  path: string,
): readonly AuthorizationRequest[] {
  return [{ action: `apigateway:${method}`, resource: `arn:aws:apigateway:${call.region}::${path}` }];
}
