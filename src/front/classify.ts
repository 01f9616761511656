import type { ConnectionsStage } from "../services/execute-api/port.ts";

/**
 * Whom a request is for, by its Host and, for clients that cannot resolve names, by its path. Only labels count: the
 * suffix may be `localhost`, `localhost.localstack.cloud`, `amazonaws.com` or the operator's own.
 */
export type Destination =
  | { readonly kind: "execute-api"; readonly apiId: string; readonly target: string }
  | { readonly kind: "platform"; readonly path: string }
  | { readonly kind: "registry" }
  | AwsDestination
  | { readonly kind: "lambda-url"; readonly urlId: string; readonly target: string }
  | UserPoolsDestination
  | WebsiteDestination;

/** A bucket as a website: `bucket.s3-website-region.…`. */
export interface WebsiteDestination {
  readonly kind: "website";
  readonly bucket: string;
  readonly region: string | undefined;
  readonly target: string;
  /** What the path form of the address has in front of the target. */
  readonly base: string;
}

export interface UserPoolsDestination {
  readonly kind: "user-pools";
  /** Of a pool's domain, its name; undefined for the documents below a pool's id. */
  readonly domain: string | undefined;
  readonly target: string;
}

export interface AwsDestination {
  readonly kind: "aws";
  /** The service that the host names: `lambda.us-east-1.localhost`. A signature says more. */
  readonly serviceLabel: string | undefined;
  readonly region: string | undefined;
  /** From `bucket.s3.…`: the path is the key. */
  readonly bucket: string | undefined;
  /** The connections of a stage of a WebSocket API are asked for, below its address. */
  readonly connections?: ConnectionsStage;
}

export interface Classifier {
  /** @param target path and query, as sent */
  classify(host: string | undefined, target: string): Destination;
}

/** What a host alone says. */
type HostFacts =
  | { readonly kind: "execute-api"; readonly apiId: string }
  | { readonly kind: "lambda-url"; readonly urlId: string }
  | { readonly kind: "registry" }
  | { readonly kind: "user-pools"; readonly domain: string }
  | Pick<WebsiteDestination, "kind" | "bucket" | "region">
  | AwsDestination;

/** @param hostsKept how many hosts' facts are kept: they are few, and parsing one costs more than finding it */
export function createClassifier(serviceLabels: ReadonlySet<string>, hostsKept: number): Classifier {
  const hosts = new Map<string, HostFacts>();
  const factsOf = (host: string): HostFacts => {
    let facts = hosts.get(host);
    if (!facts) {
      facts = parseHost(host, serviceLabels);
      if (hosts.size >= hostsKept) hosts.clear();
      hosts.set(host, facts);
    }
    return facts;
  };
  return {
    classify: (host, target) => {
      const facts = factsOf(host ?? "");
      if (facts.kind === "registry") return facts;
      if (facts.kind === "execute-api") return { kind: "execute-api", apiId: facts.apiId, target };
      if (facts.kind === "lambda-url") return { kind: "lambda-url", urlId: facts.urlId, target };
      if (facts.kind === "user-pools") return { kind: "user-pools", domain: facts.domain, target };
      if (facts.kind === "website") return { ...facts, target, base: "" };
      return (facts.bucket === undefined && classifyPath(target)) || facts;
    },
  };
}

const executeApiPath = /^\/_cumulet\/api\/([a-z0-9]{1,40})(\/[^?]*)?(\?.*)?$/s;
const functionUrlPath = /^\/_cumulet\/url\/([a-z0-9]{1,40})(\/[^?]*)?(\?.*)?$/s;
const restApiPath = /^\/restapis\/([a-z0-9]{1,40})\/([^/?]+)\/_user_request_(\/[^?]*)?(\?.*)?$/s;
const awsExecuteApiPath = /^\/_aws\/execute-api\/([a-z0-9]{1,40})(\/[^?]*)?(\?.*)?$/s;

/** Of the container registry. API Gateway's API has no such paths below `/v2/`, and no bucket has a name of two characters. */
const registryPath =
  /^\/v2\/?(?:$|[^?]+\/(?:(?:manifests|referrers)\/[^/?]+|blobs\/(?:sha256:|uploads(?:[/?]|$))[^?]*|tags\/list)(?:$|\?))/;

/** Documents of a user pool; no bucket's name has a `_`. */
const poolDocumentPath =
  /^\/[a-z]{2}(?:-[a-z]+){1,3}-\d{1,2}_[A-Za-z0-9]{1,40}\/\.well-known\/(?:jwks\.json|openid-configuration)$/;
const websitePath = /^(\/_cumulet\/website\/([a-z0-9.-]{3,63}))(.*)$/s;
const poolDomainPath = /^\/_cumulet\/auth\/([a-z0-9.-]{1,253})(\/[^?]*)?(\?.*)?$/s;

function classifyPath(target: string): Destination | undefined {
  const first = target.charCodeAt(1);
  if (first === 109 /* m */ && target === "/metrics") return { kind: "platform", path: target };
  if (first === 95 /* _ */) {
    const match = executeApiPath.exec(target) ?? awsExecuteApiPath.exec(target);
    if (match) return { kind: "execute-api", apiId: match[1] ?? "", target: `${match[2] ?? "/"}${match[3] ?? ""}` };
    const url = functionUrlPath.exec(target);
    if (url) return { kind: "lambda-url", urlId: url[1] ?? "", target: `${url[2] ?? "/"}${url[3] ?? ""}` };
    const domain = poolDomainPath.exec(target);
    if (domain) {
      return { kind: "user-pools", domain: domain[1] ?? "", target: `${domain[2] ?? "/"}${domain[3] ?? ""}` };
    }
    const website = websitePath.exec(target);
    if (website) {
      const [, base = "", bucket = "", rest = ""] = website;
      return { kind: "website", bucket, region: undefined, target: rest, base };
    }
    if (target.startsWith("/_cumulet/")) return { kind: "platform", path: target.split("?")[0] ?? target };
  } else if (first === 118 /* v */) {
    if (registryPath.test(target)) return { kind: "registry" };
  } else if (first === 114 /* r */) {
    const match = restApiPath.exec(target);
    if (match) {
      const path = `/${match[2] ?? ""}${match[3] ?? "/"}${match[4] ?? ""}`;
      return { kind: "execute-api", apiId: match[1] ?? "", target: path };
    }
  }
  if ((target.endsWith("/jwks.json") || target.endsWith("/openid-configuration")) && poolDocumentPath.test(target)) {
    return { kind: "user-pools", domain: undefined, target };
  }
  return undefined;
}

const regionLabel = /^[a-z]{2}(?:-[a-z]+){1,3}-\d{1,2}$/;
const address = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[\da-f:.%]+\])$/;

function parseHost(hostAndPort: string, serviceLabels: ReadonlySet<string>): HostFacts {
  const host = hostAndPort
    .toLowerCase()
    .replace(/:\d{1,5}$/, "")
    .replace(/\.$/, "");
  const unknown: AwsDestination = { kind: "aws", serviceLabel: undefined, region: undefined, bucket: undefined };
  if (host === "" || address.test(host)) return unknown;
  const labels = host.split(".");
  const [first = "", second = ""] = labels;
  if (second === "execute-api") return { kind: "execute-api", apiId: first };
  if (labels[1] === "dkr" && labels[2] === "ecr" && /^\d{12}$/.test(first)) return { kind: "registry" };
  if (second === "lambda-url") return { kind: "lambda-url", urlId: first };
  if (second === "auth" && regionLabel.test(labels[2] ?? "")) return { kind: "user-pools", domain: first };
  const websiteAt = labels.findLastIndex((label) => /^s3-website(?:-|$)/.test(label));
  if (websiteAt >= 0) {
    const region = [labels[websiteAt]?.slice("s3-website-".length), labels[websiteAt + 1]].find((label) =>
      regionLabel.test(label ?? ""),
    );
    return { kind: "website", bucket: labels.slice(0, websiteAt).join("."), region };
  }
  const s3At = labels.findLastIndex((label) => /^s3(?:-|$)/.test(label));
  if (s3At >= 0) {
    const region = [labels[s3At]?.slice(3), labels[s3At + 1], labels[s3At + 2]].find((label) =>
      regionLabel.test(label ?? ""),
    );
    const bucket = s3At === 0 ? undefined : labels.slice(0, s3At).join(".");
    return { kind: "aws", serviceLabel: "s3", region, bucket };
  }
  if (!serviceLabels.has(first)) return unknown;
  return { kind: "aws", serviceLabel: first, region: regionLabel.test(second) ? second : undefined, bucket: undefined };
}
