import { toCustomerId } from "../../../aws/canonical-user.ts";
import type { Principal } from "../../../aws/principal.ts";
import { toHostId } from "../../../wire/protocols/rest-xml.ts";
import type { Bucket, Version } from "../model.ts";
import { arnOfBucket } from "../needs.ts";
import { encodeListed } from "../rules.ts";

/** Who did something, as an event tells it. */
export interface Cause {
  readonly requestId: string;
  readonly principalId: string;
  readonly sourceIp: string;
  readonly now: number;
}

/** Something happened to an object. */
export interface Happening {
  /** Without `s3:`, as `ObjectCreated:Put`. */
  readonly event: string;
  readonly key: string;
  /** What came, or what went. */
  readonly version: Version;
}

/** What S3 does by itself, as expiration. */
export function ownCause(requestId: string, now: number): Cause {
  return { requestId, principalId: "s3.amazonaws.com", sourceIp: "s3.amazonaws.com", now };
}

export function causeOf(call: {
  readonly requestId: string;
  readonly principal: Principal;
  readonly http?: { readonly sourceIp: string };
  readonly now: number;
}): Cause {
  return {
    requestId: call.requestId,
    // Made when it is told: most changes are told to nobody.
    get principalId() {
      return toPrincipalId(call.principal);
    },
    // AWS: what one of its services does comes from the service.
    sourceIp: call.http?.sourceIp ?? "AWS Internal",
    now: call.now,
  };
}

/** Source: "Event message structure", S3 User Guide. */
export function toMessage(bucket: Bucket, configurationId: string, happening: Happening, cause: Cause) {
  const { event, key, version } = happening;
  return {
    Records: [
      {
        eventVersion: /^(Lifecycle|ObjectTagging)/.test(event) ? "2.3" : "2.1",
        eventSource: "aws:s3",
        awsRegion: bucket.region,
        eventTime: new Date(cause.now).toISOString(),
        eventName: event,
        userIdentity: { principalId: cause.principalId },
        requestParameters: { sourceIPAddress: cause.sourceIp },
        responseElements: { "x-amz-request-id": cause.requestId, "x-amz-id-2": toHostId(cause.requestId) },
        s3: {
          s3SchemaVersion: "1.0",
          configurationId,
          bucket: {
            name: bucket.name,
            ownerIdentity: { principalId: toCustomerId(bucket.account) },
            arn: arnOfBucket(bucket.name),
          },
          object: {
            key: encodeListed(key, "url"),
            ...toFacts(event, version),
            // AWS: null versions are not named.
            ...(version.versionId !== "null" && { versionId: version.versionId }),
            sequencer: version.sequence.toString(16).toUpperCase().padStart(18, "0"),
          },
        },
        ...(event === "LifecycleTransition" &&
          version.kind === "object" && {
            lifecycleEventData: { transitionEventData: { destinationStorageClass: version.storageClass } },
          }),
      },
    ],
  };
}

function toFacts(event: string, version: Version): { readonly size?: number; readonly eTag?: string } {
  if (event.endsWith(":Delete") && !event.startsWith("ObjectTagging")) return {};
  // AWS: the tag of no bytes.
  if (version.kind === "deleteMarker") return { eTag: "d41d8cd98f00b204e9800998ecf8427e" };
  if (event.startsWith("ObjectTagging")) return { eTag: version.etag };
  return { size: version.size, eTag: version.etag };
}

function toPrincipalId(principal: Principal): string {
  switch (principal.type) {
    case "root":
      return toCustomerId(principal.account);
    case "user":
      return `AWS:${principal.userId}`;
    case "assumedRole":
      return `AWS:${principal.roleId}:${principal.sessionName}`;
    case "federatedUser":
      return `AWS:${principal.account}:${principal.name}`;
    case "service":
      return principal.service;
    case "webIdentity":
    case "anonymous":
      return "Anonymous";
  }
}
