import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { type ConditionKeys, requestKeys } from "../../access/further-keys.ts";
import type { ConditionKeysOf } from "../../wire/service.ts";

/** What policies may look at in requests on HTTP and WebSocket APIs. Source: Service Authorization Reference, API Gateway V2. */
export const apiGatewayV2ConditionKeys: ConditionKeysOf<typeof sdk> = {
  CreateApi: (input) =>
    toKeys({
      ApiName: input.Name,
      DisableExecuteApiEndpoint: input.DisableExecuteApiEndpoint ?? false,
      EndpointType: "REGIONAL",
      // Quick create makes an open route.
      ...(input.RouteKey !== undefined && { ApiKeyRequired: false, RouteAuthorizationType: "NONE" }),
    }),
  UpdateApi: (input) => toKeys({ ApiName: input.Name, DisableExecuteApiEndpoint: input.DisableExecuteApiEndpoint }),
  CreateRoute: (input) =>
    toKeys({
      ApiKeyRequired: input.ApiKeyRequired ?? false,
      RouteAuthorizationType: input.AuthorizationType ?? "NONE",
    }),
  UpdateRoute: (input) =>
    toKeys({ ApiKeyRequired: input.ApiKeyRequired, RouteAuthorizationType: input.AuthorizationType }),
  CreateAuthorizer: (input) => toKeys({ AuthorizerType: input.AuthorizerType }),
  UpdateAuthorizer: (input) => toKeys({ AuthorizerType: input.AuthorizerType }),
  CreateDeployment: (input) => toKeys({ StageName: input.StageName }),
  CreateStage: (input) => ofLogging(input.AccessLogSettings),
  UpdateStage: (input) => ofLogging(input.AccessLogSettings),
  CreateDomainName: (input) => ofDomain(input),
  UpdateDomainName: (input) => ofDomain(input),
  CreateRoutingRule: (input) => ofRule(input),
  PutRoutingRule: (input) => ofRule(input),
};

const toKeys = (given: Parameters<typeof requestKeys>[1]) => requestKeys("apigateway:Request/", given);

function ofLogging(settings: sdk.AccessLogSettings | undefined): ConditionKeys {
  return toKeys({ AccessLoggingDestination: settings?.DestinationArn, AccessLoggingFormat: settings?.Format });
}

function ofDomain(input: {
  readonly DomainNameConfigurations?: readonly sdk.DomainNameConfiguration[] | undefined;
  readonly MutualTlsAuthentication?: sdk.MutualTlsAuthenticationInput | undefined;
}): ConditionKeys {
  const [configuration] = input.DomainNameConfigurations ?? [];
  return toKeys({
    EndpointType: configuration?.EndpointType,
    SecurityPolicy: configuration?.SecurityPolicy,
    MtlsTrustStoreUri: input.MutualTlsAuthentication?.TruststoreUri,
    MtlsTrustStoreVersion: input.MutualTlsAuthentication?.TruststoreVersion,
  });
}

function ofRule(input: {
  readonly Priority: number | undefined;
  readonly Conditions: readonly sdk.RoutingRuleCondition[] | undefined;
}): ConditionKeys {
  const paths = (input.Conditions ?? []).flatMap(({ MatchBasePaths }) => MatchBasePaths?.AnyOf ?? []);
  return toKeys({
    Priority: input.Priority === undefined ? undefined : String(input.Priority),
    ConditionBasePaths: paths.length > 0 ? paths : undefined,
  });
}
