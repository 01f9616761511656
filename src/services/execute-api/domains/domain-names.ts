import type { X509Certificate } from "node:crypto";
import { badRequest } from "./errors.ts";

const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** Suffixes that are this platform's own, whatever is installed where. */
const reserved = ["localhost", "localhost.localstack.cloud", "amazonaws.com", "on.aws", "cloudfront.net"];

/** Labels that make a host an address of the platform: `{id}.execute-api.…`. */
const reservedLabels = new Set(["execute-api", "lambda-url"]);

/**
 * Checks the name of a custom domain and gives its one spelling, in lower case.
 *
 * @param own hosts by which this installation itself is reached: nobody may take them over
 * @throws {AwsError} BadRequestException
 */
export function parseDomainName(text: string | undefined, own: readonly string[]): string {
  const name = (text ?? "").toLowerCase();
  const labels = name.split(".");
  const [first, ...rest] = labels;
  const wellFormed =
    name.length <= 253 &&
    labels.length >= 2 &&
    (first === "*" ? labels.length >= 3 : label.test(first ?? "")) &&
    rest.every((part) => label.test(part)) &&
    !/^\d+$/.test(labels.at(-1) ?? "");
  if (!wellFormed) throw badRequest("Invalid domain name identifier specified");
  const isReserved =
    own.some((host) => matchesName(name, host.toLowerCase())) ||
    reserved.some((suffix) => name === suffix || name.endsWith(`.${suffix}`)) ||
    labels.some((part) => reservedLabels.has(part)) ||
    labels.some((part, at) => at > 0 && /^s3(?:-|$)/.test(part));
  if (isReserved) throw badRequest(`The domain name ${name} is one by which this platform itself is reached`);
  return name;
}

/** Whether a host, in lower case, is one of a domain name's, which may begin with `*.`. */
export function matchesName(domainName: string, host: string): boolean {
  return domainName === host || domainName === wildcardOf(host);
}

/** `a.example.com` → `*.example.com` */
export function wildcardOf(host: string): string {
  const dot = host.indexOf(".");
  return dot === -1 ? "*" : `*${host.slice(dot)}`;
}

/** A Host header's name in lower case, without port and final dot. */
export function hostOf(header: string): string {
  return header
    .toLowerCase()
    .replace(/:\d{1,5}$/, "")
    .replace(/\.$/, "");
}

/** Whether a certificate is one for the domain name. A wildcard needs a wildcard. */
export function covers(certificate: X509Certificate, domainName: string): boolean {
  // A name that only a wildcard can match.
  const probe = domainName.startsWith("*.") ? `cumulet-probe${domainName.slice(1)}` : domainName;
  return certificate.checkHost(probe) !== undefined;
}
