import type { WebsiteConfiguration } from "@aws-sdk/client-s3";
import { invalidArgument, invalidRequest, malformedXml } from "../errors.ts";
import { s3Limits } from "../limits.ts";

/** How a bucket is a website. Source: "Hosting a static website using Amazon S3", S3 User Guide. */
export type Website =
  | { readonly kind: "redirect"; readonly host: string; readonly protocol?: Protocol }
  | {
      readonly kind: "pages";
      /** Without a slash: what a folder answers. */
      readonly index: string;
      /** The key of what is answered to 4xx. */
      readonly error?: string;
      readonly rules: readonly RoutingRule[];
    };

type Protocol = "http" | "https";

/** Conditions that are absent hold always. */
export interface RoutingRule {
  readonly prefix?: string;
  readonly errorCode?: number;
  readonly to: {
    readonly host?: string;
    readonly protocol?: Protocol;
    readonly status?: number;
    /** At the most one of the two. */
    readonly key?: string;
    readonly prefix?: string;
  };
}

/** @throws {AwsError} MalformedXML, InvalidArgument, InvalidRequest */
export function parseWebsite(given: WebsiteConfiguration | undefined): Website {
  if (!given) throw malformedXml();
  const { RedirectAllRequestsTo: all, IndexDocument, ErrorDocument, RoutingRules } = given;
  if (all) {
    if (IndexDocument ?? ErrorDocument ?? RoutingRules) {
      throw invalidArgument(
        "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.",
        "RedirectAllRequestsTo",
        "not null",
      );
    }
    if (!all.HostName) throw malformedXml();
    return { kind: "redirect", host: all.HostName, ...toProtocol(all.Protocol) };
  }
  if (!IndexDocument) {
    throw invalidArgument(
      "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty",
      "IndexDocument",
      "null",
    );
  }
  const index = IndexDocument.Suffix ?? "";
  if (index === "" || index.includes("/")) {
    throw invalidArgument("The IndexDocument Suffix is not well formed", "IndexDocument", index);
  }
  if (ErrorDocument && !ErrorDocument.Key) throw malformedXml();
  if (RoutingRules && RoutingRules.length > s3Limits.routingRulesMax) {
    throw invalidRequest("The number of routing rules must not exceed the allowed limit of 50 rules.");
  }
  return {
    kind: "pages",
    index,
    ...(ErrorDocument?.Key !== undefined && { error: ErrorDocument.Key }),
    rules: (RoutingRules ?? []).map(parseRule),
  };
}

type GivenRule = NonNullable<WebsiteConfiguration["RoutingRules"]>[number];

function parseRule({ Condition, Redirect }: GivenRule): RoutingRule {
  if (!Redirect) throw malformedXml();
  const { HostName, HttpRedirectCode, Protocol, ReplaceKeyPrefixWith, ReplaceKeyWith } = Redirect;
  if (ReplaceKeyPrefixWith !== undefined && ReplaceKeyWith !== undefined) {
    throw invalidRequest("You can only define ReplaceKeyPrefix or ReplaceKey but not both.");
  }
  const { KeyPrefixEquals, HttpErrorCodeReturnedEquals } = Condition ?? {};
  if (Condition && KeyPrefixEquals === undefined && HttpErrorCodeReturnedEquals === undefined) {
    throw invalidRequest(
      "Condition cannot be empty. To redirect all requests without a condition, the condition element shouldn't be present.",
    );
  }
  const protocol = toProtocol(Protocol);
  return {
    ...(KeyPrefixEquals !== undefined && { prefix: KeyPrefixEquals }),
    ...(HttpErrorCodeReturnedEquals !== undefined && { errorCode: toErrorCode(HttpErrorCodeReturnedEquals) }),
    to: {
      ...(HostName !== undefined && { host: HostName }),
      ...protocol,
      ...(HttpRedirectCode !== undefined && { status: toRedirectCode(HttpRedirectCode) }),
      ...(ReplaceKeyWith !== undefined && { key: ReplaceKeyWith }),
      ...(ReplaceKeyPrefixWith !== undefined && { prefix: ReplaceKeyPrefixWith }),
    },
  };
}

function toProtocol(text: string | undefined): { readonly protocol?: Protocol } {
  if (text === undefined) return {};
  if (text === "http" || text === "https") return { protocol: text };
  throw invalidRequest(
    "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected automatically.",
  );
}

function toErrorCode(text: string): number {
  if (/^[45]\d\d$/.test(text)) return Number(text);
  throw invalidRequest(`The provided HTTP error code (${text}) is not valid. Valid codes are 4XX or 5XX.`);
}

function toRedirectCode(text: string): number {
  if (/^3\d\d$/.test(text) && text !== "300") return Number(text);
  throw invalidRequest(`The provided HTTP redirect code (${text}) is not valid. Valid codes are 3XX except 300.`);
}

/** As GetBucketWebsite answers. */
export function formatWebsite(website: Website): WebsiteConfiguration {
  if (website.kind === "redirect") {
    return { RedirectAllRequestsTo: { HostName: website.host, Protocol: website.protocol } };
  }
  const { index, error, rules } = website;
  return {
    IndexDocument: { Suffix: index },
    ...(error !== undefined && { ErrorDocument: { Key: error } }),
    ...(rules.length > 0 && { RoutingRules: rules.map(formatRule) }),
  };
}

function formatRule({ prefix, errorCode, to }: RoutingRule): GivenRule {
  const condition = {
    ...(prefix !== undefined && { KeyPrefixEquals: prefix }),
    ...(errorCode !== undefined && { HttpErrorCodeReturnedEquals: String(errorCode) }),
  };
  return {
    ...(Object.keys(condition).length > 0 && { Condition: condition }),
    Redirect: {
      HostName: to.host,
      Protocol: to.protocol,
      ...(to.status !== undefined && { HttpRedirectCode: String(to.status) }),
      ReplaceKeyWith: to.key,
      ReplaceKeyPrefixWith: to.prefix,
    },
  };
}
