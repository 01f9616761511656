import { AwsError } from "../../../aws/error.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import { sealLogin } from "../credentials.ts";
import { ecrLimits } from "../limits.ts";
import type { EcrNeeds, Sdk } from "../needs.ts";
import { registryHost } from "../repositories.ts";

export function tokenOperations({ seal }: EcrNeeds) {
  return {
    GetAuthorizationToken: {
      authorize: () => [{ action: "ecr:GetAuthorizationToken", resource: "*" }],
      run(input, call) {
        const { principal } = call;
        if (!("account" in principal)) {
          throw new AwsError("AccessDeniedException", 400, "Only users and roles can log in to a registry");
        }
        const expiresAt = call.now + ecrLimits.passwordMs;
        const password = sealLogin(seal, { principal, region: call.region, expiresAt });
        const authorizationToken = Buffer.from(`AWS:${password}`).toString("base64");
        const registries = input.registryIds ?? [call.account];
        const scheme = new URL(call.endpoint).protocol;
        return {
          authorizationData: registries.map((account) => ({
            authorizationToken,
            expiresAt: new Date(expiresAt),
            proxyEndpoint: `${scheme}//${registryHost(call.endpoint, { account, region: call.region })}`,
          })),
        };
      },
    },
  } satisfies OperationsOf<Sdk>;
}
