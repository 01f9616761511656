import type { Protocol, RoutingRule, WebsiteConfiguration } from "@aws-sdk/client-s3";
import { listOf, recordOf, textOf } from "./properties.ts";

type Given = Readonly<Record<string, unknown>>;

/** The properties of `WebsiteConfiguration` that act. */
export const websiteProperties = [
  "WebsiteConfiguration.ErrorDocument",
  "WebsiteConfiguration.IndexDocument",
  "WebsiteConfiguration.RedirectAllRequestsTo.HostName",
  "WebsiteConfiguration.RedirectAllRequestsTo.Protocol",
  "WebsiteConfiguration.RoutingRules[].RedirectRule.HostName",
  "WebsiteConfiguration.RoutingRules[].RedirectRule.HttpRedirectCode",
  "WebsiteConfiguration.RoutingRules[].RedirectRule.Protocol",
  "WebsiteConfiguration.RoutingRules[].RedirectRule.ReplaceKeyPrefixWith",
  "WebsiteConfiguration.RoutingRules[].RedirectRule.ReplaceKeyWith",
  "WebsiteConfiguration.RoutingRules[].RoutingRuleCondition.HttpErrorCodeReturnedEquals",
  "WebsiteConfiguration.RoutingRules[].RoutingRuleCondition.KeyPrefixEquals",
];

export function toWebsite(given: Given): WebsiteConfiguration {
  const index = textOf(given["IndexDocument"]);
  const error = textOf(given["ErrorDocument"]);
  const all = recordOf(given["RedirectAllRequestsTo"]);
  const rules = listOf(given["RoutingRules"]);
  return {
    ...(index !== undefined && { IndexDocument: { Suffix: index } }),
    ...(error !== undefined && { ErrorDocument: { Key: error } }),
    ...(all && {
      RedirectAllRequestsTo: { HostName: textOf(all["HostName"]), Protocol: parseProtocol(textOf(all["Protocol"])) },
    }),
    ...(rules.length > 0 && { RoutingRules: rules.map(toRule) }),
  };
}

function toRule(value: unknown): RoutingRule {
  const rule = recordOf(value);
  const condition = recordOf(rule?.["RoutingRuleCondition"]);
  const redirect = recordOf(rule?.["RedirectRule"]);
  return {
    ...(condition && {
      Condition: {
        KeyPrefixEquals: textOf(condition["KeyPrefixEquals"]),
        HttpErrorCodeReturnedEquals: textOf(condition["HttpErrorCodeReturnedEquals"]),
      },
    }),
    Redirect: {
      HostName: textOf(redirect?.["HostName"]),
      HttpRedirectCode: textOf(redirect?.["HttpRedirectCode"]),
      Protocol: parseProtocol(textOf(redirect?.["Protocol"])),
      ReplaceKeyPrefixWith: textOf(redirect?.["ReplaceKeyPrefixWith"]),
      ReplaceKeyWith: textOf(redirect?.["ReplaceKeyWith"]),
    },
  };
}

// Checked by the operation.
function parseProtocol(text: string | undefined): Protocol | undefined {
  return text as Protocol | undefined;
}

/** On this platform, below the host name that whoever deploys used where it has one. */
export function toWebsiteUrl(bucket: string, at: { readonly region: string; readonly endpoint?: string }): string {
  const { protocol, hostname, port } = new URL(at.endpoint ?? "http://localhost");
  const suffix = /^[\d.]+$|^\[/.test(hostname) ? "localhost" : hostname;
  return `${protocol}//${bucket}.s3-website-${at.region}.${suffix}${port === "" ? "" : `:${port}`}`;
}
