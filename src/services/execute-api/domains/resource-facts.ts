import { resourceTagKeys, type ResourceFacts } from "../../../access/further-keys.ts";
import { parseArn } from "../../../aws/arn.ts";
import type { Store } from "../../../kernel/store/store.ts";
import { findDomain } from "./model.ts";

/** Tags and settings of custom domain names, as policies see them; what is below a name has its tags. */
export function domainFacts(store: Store): ResourceFacts {
  return {
    service: "apigateway",
    read: async ({ arn, account, region }) => {
      const [, collection, name, below, belowId] = (parseArn(arn)?.resource ?? "").split("/");
      if (collection !== "domainnames" || name === undefined) return {};
      const domain = await store.read((reader) => findDomain(reader, name.toLowerCase()));
      if (domain?.account !== account || domain.region !== region) return {};
      const tags = resourceTagKeys(domain.tags);
      const rule = below === "routingrules" ? domain.rules.find(({ id }) => id === belowId) : undefined;
      if (rule) {
        const paths = rule.conditions.flatMap((each) => (each.kind === "base-paths" ? each.anyOf : []));
        return {
          ...tags,
          "apigateway:Resource/Priority": [String(rule.priority)],
          ...(paths.length > 0 && { "apigateway:Resource/ConditionBasePaths": paths }),
        };
      }
      if (below !== undefined) return tags;
      return {
        ...tags,
        "apigateway:Resource/EndpointType": [domain.endpointType],
        "apigateway:Resource/SecurityPolicy": ["TLS_1_2"],
        "apigateway:Resource/RoutingMode": [routingModes[domain.routingMode]],
        ...(domain.truststore && { "apigateway:Resource/MtlsTrustStoreUri": [domain.truststore.uri] }),
        ...(domain.truststore?.version !== undefined && {
          "apigateway:Resource/MtlsTrustStoreVersion": [domain.truststore.version],
        }),
      };
    },
  };
}

/** As requests and answers write them. */
const routingModes = {
  mappings: "API_MAPPING_ONLY",
  rules: "ROUTING_RULE_ONLY",
  "rules-then-mappings": "ROUTING_RULE_THEN_API_MAPPING",
} as const;
