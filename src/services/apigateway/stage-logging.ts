import { notImplemented } from "../../aws/error.ts";
import { parseArn } from "../../aws/arn.ts";
import type { Reader } from "../../kernel/store/store.ts";
import type { PublishedAccessLog } from "../execute-api/port.ts";
import { badRequest } from "./errors.ts";
import { apiGatewayLimits as limits } from "./limits.ts";
import { accountKey, type Place, type StageRecord } from "./model.ts";
import type { PatchTable } from "./patch.ts";

/** Where a stage writes a line for each request, and how. It writes once both are set. */
export interface AccessLogRecord {
  readonly destinationArn?: string;
  readonly format?: string;
}

export const accessLogPatches: PatchTable<StageRecord> = [
  {
    path: /^\/accessLogSettings$/,
    apply: {
      remove: ({ accessLog: _gone, ...stage }) => stage,
    },
  },
  {
    path: /^\/accessLogSettings\/destinationArn$/,
    apply: {
      add: (stage, destinationArn) => ({ ...stage, accessLog: { ...stage.accessLog, destinationArn } }),
      replace: (stage, destinationArn) => ({ ...stage, accessLog: { ...stage.accessLog, destinationArn } }),
    },
  },
  {
    path: /^\/accessLogSettings\/format$/,
    apply: {
      add: (stage, format) => ({ ...stage, accessLog: { ...stage.accessLog, format } }),
      replace: (stage, format) => ({ ...stage, accessLog: { ...stage.accessLog, format } }),
    },
  },
];

/**
 * Throws BadRequestException for what cannot be logged, and where the account has no role to log with.
 *
 * AWS: the role is the account's, in each region; without it neither kind of log can be turned on.
 */
export async function checkLogging(reader: Reader, place: Place, stage: StageRecord): Promise<void> {
  const { accessLog, methodSettings = {} } = stage;
  const executes = Object.values(methodSettings).some(({ loggingLevel }) => loggingLevel !== "OFF");
  if (accessLog === undefined && !executes) return;
  if (accessLog?.destinationArn !== undefined) logGroupOf(accessLog.destinationArn, place);
  if (accessLog?.format !== undefined) checkFormat(accessLog.format);
  if (await hasLoggingRole(reader, place)) return;
  throw badRequest("CloudWatch Logs role ARN must be set in account settings to enable logging");
}

/** Whether the account has a role in the region that API Gateway may log with. */
export async function hasLoggingRole(reader: Reader, place: Place): Promise<boolean> {
  const account = await reader.get<{ readonly cloudwatchRoleArn?: string }>(accountKey(place));
  return account?.cloudwatchRoleArn !== undefined;
}

export function publishedAccessLog(stage: StageRecord, place: Place): { readonly accessLog?: PublishedAccessLog } {
  const { destinationArn, format } = stage.accessLog ?? {};
  if (destinationArn === undefined || format === undefined) return {};
  return { accessLog: { logGroup: logGroupOf(destinationArn, place), format } };
}

export function describeAccessLog({ accessLog }: StageRecord) {
  return accessLog === undefined ? {} : { accessLogSettings: { ...accessLog } };
}

/** Throws 501 for delivery streams, which there are none of. */
function logGroupOf(destinationArn: string, { account, region }: Place): string {
  const arn = parseArn(destinationArn);
  if (arn?.service === "firehose") throw notImplemented("An access log's destination in Firehose");
  const logGroup = /^log-group:([\w./#-]{1,512})(?::\*)?$/.exec(arn?.resource ?? "")?.[1];
  if (arn?.service !== "logs" || arn.account !== account || arn.region !== region || logGroup === undefined) {
    throw badRequest(
      "Invalid ARN specified in the request. ARNs must start with 'arn:' and must be a CloudWatch log group of this account and region",
    );
  }
  return logGroup;
}

function checkFormat(format: string): void {
  if (Buffer.byteLength(format) > limits.accessLogFormatBytesMax) {
    throw badRequest(`Access log format must not be longer than ${limits.accessLogFormatBytesMax} bytes`);
  }
  if (/[\r\n]/.test(format.replace(/\r?\n$/, ""))) {
    throw badRequest("Access Log format must be single line, new line character is allowed only at end of the format");
  }
  if (!/\$context\.(?:requestId|extendedRequestId)\b/.test(format)) {
    throw badRequest("Access log format must contain $context.requestId or $context.extendedRequestId");
  }
}
