import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { notImplemented } from "../../aws/error.ts";
import { parseArn } from "../../aws/arn.ts";
import type { PublishedAccessLog } from "../execute-api/port.ts";
import { badRequest } from "./errors.ts";
import { apiGatewayV2Limits as limits } from "./limits.ts";
import type { Place, StageRecord } from "./model.ts";

/** Where a stage writes a line for each request, and how. */
export interface AccessLogRecord {
  readonly destinationArn: string;
  readonly format: string;
}

/** Throws BadRequestException, and 501 for delivery streams. Empty settings turn the log off. */
export function parseAccessLog(
  settings: sdk.AccessLogSettings | undefined,
  place: Place,
  before?: StageRecord,
): Pick<StageRecord, "accessLog"> {
  const destinationArn = settings?.DestinationArn ?? before?.accessLog?.destinationArn;
  const format = settings?.Format ?? before?.accessLog?.format;
  if (!destinationArn && !format) return {};
  if (!destinationArn || !format) {
    throw badRequest("Both DestinationArn and Format must be provided in AccessLogSettings");
  }
  logGroupOf(destinationArn, place);
  if (Buffer.byteLength(format) > limits.accessLogFormatBytesMax) {
    throw badRequest(`Access log format must not be longer than ${limits.accessLogFormatBytesMax} bytes`);
  }
  if (/[\r\n]/.test(format.replace(/\r?\n$/, ""))) {
    throw badRequest("Access Log format must be single line, new line character is allowed only at end of the format");
  }
  if (!/\$context\.(?:requestId|extendedRequestId)\b/.test(format)) {
    throw badRequest("Access log format must contain $context.requestId or $context.extendedRequestId");
  }
  return { accessLog: { destinationArn, format } };
}

export function publishedAccessLog(
  { accessLog }: StageRecord,
  place: Place,
): { readonly accessLog?: PublishedAccessLog } {
  if (accessLog === undefined) return {};
  return { accessLog: { logGroup: logGroupOf(accessLog.destinationArn, place), format: accessLog.format } };
}

export function describeAccessLog({ accessLog }: StageRecord) {
  return accessLog === undefined
    ? {}
    : { AccessLogSettings: { DestinationArn: accessLog.destinationArn, Format: accessLog.format } };
}

function logGroupOf(destinationArn: string, { account, region }: Place): string {
  const arn = parseArn(destinationArn);
  if (arn?.service === "firehose") throw notImplemented("An access log's destination in Firehose");
  const logGroup = /^log-group:([\w./#-]{1,512})(?::\*)?$/.exec(arn?.resource ?? "")?.[1];
  if (arn?.service !== "logs" || arn.account !== account || arn.region !== region || logGroup === undefined) {
    throw badRequest(
      `The provided resource ${destinationArn} is not a CloudWatch log group of this account and region`,
    );
  }
  return logGroup;
}
