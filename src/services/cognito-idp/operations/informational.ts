import { notImplemented } from "../../../aws/error.ts";

/** Amazon Pinpoint's campaigns are not built; what is meant for them is refused. `UserContextData` only informs threat protection. */
export function refuseAnalytics(metadata: object | undefined): void {
  if (metadata !== undefined && Object.keys(metadata).length > 0)
    throw notImplemented("The parameter AnalyticsMetadata");
}
