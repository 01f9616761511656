import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { parseArn } from "../../../aws/arn.ts";
import type { Properties, ResourceType } from "../../cloudformation/port.ts";
import { flagOf, numberOf, objectOf, stringsOf, textOf, unlessGone } from "./properties.ts";

export const routingRuleType: ResourceType = {
  type: "AWS::ApiGatewayV2::RoutingRule",
  properties: [
    "Actions[].InvokeApi.ApiId",
    "Actions[].InvokeApi.Stage",
    "Actions[].InvokeApi.StripBasePath",
    "Conditions[].MatchBasePaths.AnyOf",
    "Conditions[].MatchHeaders.AnyOf[].Header",
    "Conditions[].MatchHeaders.AnyOf[].ValueGlob",
    "DomainNameArn",
    "Priority",
  ],
  attributes: ["RoutingRuleArn", "RoutingRuleId"],
  create: async ({ client: clientOf, properties, resumed }) => {
    const client = clientOf<typeof sdk>("apigatewayv2");
    const input = inputOf(properties);
    let made: Pick<sdk.RoutingRule, "RoutingRuleArn" | "RoutingRuleId"> | undefined;
    if (resumed === true) {
      const { RoutingRules = [] } = await client.ListRoutingRules({ DomainName: input.DomainName });
      made = RoutingRules.find(({ Priority }) => Priority === input.Priority);
    }
    const { RoutingRuleArn = "", RoutingRuleId } = made ?? (await client.CreateRoutingRule(input));
    return { physicalId: RoutingRuleArn, attributes: { RoutingRuleArn, RoutingRuleId } };
  },
  update: async ({ client, properties, state }) => {
    const RoutingRuleId = idOf(state.physicalId);
    await client<typeof sdk>("apigatewayv2").PutRoutingRule({ ...inputOf(properties), RoutingRuleId });
    return state;
  },
  delete: async ({ client, properties, state }) => {
    const { DomainName } = inputOf(properties);
    const RoutingRuleId = idOf(state.physicalId);
    await unlessGone(client<typeof sdk>("apigatewayv2").DeleteRoutingRule({ DomainName, RoutingRuleId }));
  },
};

function idOf(arn: string): string {
  return arn.slice(arn.lastIndexOf("/") + 1);
}

function inputOf(properties: Properties) {
  const resource = parseArn(textOf(properties, "DomainNameArn") ?? "")?.resource ?? "";
  return {
    DomainName: resource.split("/")[2] ?? "",
    Priority: numberOf(properties, "Priority"),
    Actions: listOf(properties, "Actions").map((action) => {
      const invoke = objectOf(action, "InvokeApi") ?? {};
      return {
        InvokeApi: {
          ApiId: textOf(invoke, "ApiId"),
          Stage: textOf(invoke, "Stage"),
          StripBasePath: flagOf(invoke, "StripBasePath"),
        },
      };
    }),
    Conditions: listOf(properties, "Conditions").map(conditionOf),
  };
}

function conditionOf(condition: Properties) {
  const paths = objectOf(condition, "MatchBasePaths");
  const headers = objectOf(condition, "MatchHeaders");
  return {
    MatchBasePaths: paths && { AnyOf: stringsOf(paths, "AnyOf") },
    MatchHeaders: headers && {
      AnyOf: listOf(headers, "AnyOf").map((item) => ({
        Header: textOf(item, "Header"),
        ValueGlob: textOf(item, "ValueGlob"),
      })),
    },
  };
}

function listOf(properties: Properties, name: string): Properties[] {
  const list = properties[name];
  return Array.isArray(list) ? list.map((item: unknown) => objectOf({ item }, "item") ?? {}) : [];
}
