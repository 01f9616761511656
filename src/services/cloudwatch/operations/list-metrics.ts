import { notImplemented } from "../../../aws/error.ts";
import type { Key } from "../../../kernel/store/store.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import { invalidToken, invalidValue } from "../errors.ts";
import { cloudWatchLimits } from "../limits.ts";
import { placePrefix, type SeriesRecord } from "../model.ts";
import { onMetrics, settle, type OperationNeeds, type Sdk } from "./needs.ts";

export function listOperations(needs: OperationNeeds) {
  return {
    ListMetrics: {
      authorize: () => onMetrics("ListMetrics"),
      async run(input, call) {
        if (input.IncludeLinkedAccounts) throw notImplemented("The parameter IncludeLinkedAccounts of ListMetrics");
        if (input.OwningAccount !== undefined && input.OwningAccount !== call.account) {
          throw invalidValue(`The value ${input.OwningAccount} for parameter OwningAccount is invalid.`);
        }
        const activeMs = input.RecentlyActive ? cloudWatchLimits.recentlyActiveMs : cloudWatchLimits.listedForMs;
        const since = call.now - activeMs - cloudWatchLimits.seriesNotedEveryMs;
        const fits = ({ namespace, metricName, dimensions, lastAt }: SeriesRecord) =>
          lastAt >= since &&
          (input.Namespace === undefined || namespace === input.Namespace) &&
          (input.MetricName === undefined || metricName === input.MetricName) &&
          (input.Dimensions ?? []).every(({ Name, Value }) =>
            dimensions.some(({ name, value }) => name === Name && (Value === undefined || value === Value)),
          );
        await settle(needs);
        let prefix = placePrefix(call.account, call.region);
        if (input.Namespace !== undefined) {
          prefix = [...prefix, input.Namespace];
          if (input.MetricName !== undefined) prefix = [...prefix, input.MetricName];
        }
        let after = input.NextToken === undefined ? undefined : parseToken(input.NextToken, prefix);
        const found: SeriesRecord[] = [];
        let scanned = 0;
        let more = true;
        await needs.store.read(async (reader) => {
          while (more && found.length < cloudWatchLimits.listPageMax && scanned < cloudWatchLimits.listScanMax) {
            const limit = cloudWatchLimits.listPageMax;
            const entries = await reader.range<SeriesRecord>({ prefix, ...(after && { after }) }, { limit });
            more = entries.length === limit;
            scanned += entries.length;
            for (const { key, value } of entries) {
              if (found.length === limit) {
                more = true;
                break;
              }
              after = key;
              if (fits(value)) found.push(value);
            }
          }
        });
        return {
          Metrics: found.map(({ namespace, metricName, dimensions }) => ({
            Namespace: namespace,
            MetricName: metricName,
            Dimensions: dimensions.map(({ name, value }) => ({ Name: name, Value: value })),
          })),
          ...(more && after && { NextToken: toToken(after) }),
        };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

/** The last metric of the page, below its account and region: a token holds no state and does not expire. */
function toToken(key: Key): string {
  return Buffer.from(JSON.stringify(key.slice(4))).toString("base64url");
}

function parseToken(token: string, prefix: Key): Key {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(token, "base64url").toString());
  } catch {
    throw invalidToken();
  }
  if (!Array.isArray(parts) || parts.length !== 3) throw invalidToken();
  const rest = parts.map((part: unknown) => {
    if (typeof part !== "string" || !/^[\x20-\x7e]{1,255}$/.test(part)) throw invalidToken();
    return part;
  });
  const key = [...prefix.slice(0, 4), ...rest];
  if (prefix.some((part, index) => key[index] !== part)) throw invalidToken();
  return key;
}
