import type { MetricTransformation } from "@aws-sdk/client-cloudwatch-logs";
import { notImplemented } from "../../../aws/error.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import { filterNotFound, invalidParameter, limitExceeded } from "../errors.ts";
import { compileFilterPattern, type FilterPattern } from "../filter-pattern/fields.ts";
import { logsLimits } from "../limits.ts";
import { groupPrefix, writeGroup, type LogGroup, type MetricFilter, type Place } from "../model.ts";
import { present } from "../rules.ts";
import { parseNameToken, toNameToken } from "../tokens.ts";
import { existingGroup, onGroup, type OperationNeeds, type Sdk } from "./needs.ts";

export function metricFilterOperations({ store, writer }: OperationNeeds) {
  return {
    PutMetricFilter: {
      authorize: (input, call) => onGroup("PutMetricFilter", present(input.logGroupName, "logGroupName"), call),
      async run(input, call) {
        if (input.applyOnTransformedLogs) throw refuse("applyOnTransformedLogs");
        if (input.fieldSelectionCriteria) throw refuse("fieldSelectionCriteria");
        if (input.emitSystemFieldDimensions && input.emitSystemFieldDimensions.length > 0) {
          throw refuse("emitSystemFieldDimensions");
        }
        const name = present(input.filterName, "filterName");
        const pattern = input.filterPattern ?? "";
        const transformation = present(input.metricTransformations?.[0], "metricTransformations");
        const filter: MetricFilter = {
          name,
          pattern,
          createdAt: call.now,
          ...readTransformation(transformation, compileFilterPattern(pattern)),
        };
        await writer.flush();
        await store.transact(async (tx) => {
          const before = await existingGroup(tx, call, present(input.logGroupName, "logGroupName"));
          const others = (before.metricFilters ?? []).filter((each) => each.name !== name);
          if (others.length >= logsLimits.metricFiltersMax) throw limitExceeded();
          const metricFilters = [...others, filter].toSorted((a, b) => (a.name < b.name ? -1 : 1));
          writeGroup(tx, call, { ...before, metricFilters });
        });
        return {};
      },
    },

    DescribeMetricFilters: {
      authorize: (input, call) => onGroup("DescribeMetricFilters", input.logGroupName ?? "", call),
      async run(input, call) {
        const { logGroupName, filterNamePrefix, metricName, metricNamespace } = input;
        if ((metricName === undefined) !== (metricNamespace === undefined)) {
          throw invalidParameter("metricName and metricNamespace must be given together.");
        }
        const fits = (filter: MetricFilter) =>
          filter.name.startsWith(filterNamePrefix ?? "") &&
          (metricName === undefined || filter.metricName === metricName) &&
          (metricNamespace === undefined || filter.metricNamespace === metricNamespace);
        const after = input.nextToken === undefined ? undefined : parseNameToken(input.nextToken);
        const limit = input.limit ?? logsLimits.describeLimitDefault;
        await writer.flush();
        const found = await store.read(async (reader) => {
          const entries: { group: string; filter: MetricFilter; key: string }[] = [];
          const groups =
            logGroupName === undefined ? allGroups(reader, call) : [await existingGroup(reader, call, logGroupName)];
          for await (const group of groups) {
            for (const filter of group.metricFilters ?? []) {
              // Neither name may hold a colon.
              const key = `${group.name}:${filter.name}`;
              if (fits(filter) && (after === undefined || isAfter(group.name, filter.name, after))) {
                entries.push({ group: group.name, filter, key });
              }
            }
            if (entries.length > limit) break;
          }
          return entries;
        });
        const page = found.slice(0, limit);
        const last = page.at(-1);
        return {
          metricFilters: page.map(({ group, filter }) => describe(group, filter)),
          ...(found.length > limit && last && { nextToken: toNameToken(last.key) }),
        };
      },
    },

    DeleteMetricFilter: {
      authorize: (input, call) => onGroup("DeleteMetricFilter", present(input.logGroupName, "logGroupName"), call),
      async run(input, call) {
        await writer.flush();
        await store.transact(async (tx) => {
          const before = await existingGroup(tx, call, present(input.logGroupName, "logGroupName"));
          const { metricFilters = [] } = before;
          const left = metricFilters.filter(({ name }) => name !== input.filterName);
          if (left.length === metricFilters.length) throw filterNotFound("metric");
          writeGroup(tx, call, { ...before, metricFilters: left });
        });
        return {};
      },
    },

    TestMetricFilter: {
      authorize: () => [{ action: "logs:TestMetricFilter", resource: "*" }],
      run(input) {
        const pattern = compileFilterPattern(input.filterPattern ?? "");
        const messages = present(input.logEventMessages, "logEventMessages");
        return {
          matches: messages.flatMap((eventMessage, index) =>
            pattern.matches(eventMessage)
              ? [{ eventNumber: index + 1, eventMessage, extractedValues: { ...pattern.extract(eventMessage) } }]
              : [],
          ),
        };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function refuse(member: string) {
  return notImplemented(`The parameter ${member} of PutMetricFilter`);
}

function readTransformation(given: MetricTransformation, pattern: FilterPattern) {
  const { metricName, metricNamespace, metricValue, defaultValue, unit } = given;
  const dimensions = Object.entries(given.dimensions ?? {});
  const value = present(metricValue, "metricValue");
  const namespace = present(metricNamespace, "metricNamespace");
  if (namespace.startsWith("AWS/")) throw invalidTransformation("metricNamespace must not begin with AWS/");
  if (dimensions.length > 0 && defaultValue !== undefined) {
    throw invalidTransformation("dimensions and default value are mutually exclusive properties.");
  }
  if (dimensions.length > logsLimits.dimensionsMax) {
    throw invalidTransformation(`at most ${logsLimits.dimensionsMax} dimensions can be given`);
  }
  if (dimensions.length > 0 && pattern.kind === "text") {
    throw invalidParameter("The specified filter pattern does not support dimensions");
  }
  if (value.startsWith("$")) checkSelector(value, pattern);
  else if (value.trim() === "" || !Number.isFinite(Number(value))) {
    throw invalidTransformation(`metricValue ${value} is neither a number nor a selector`);
  }
  for (const [, selector] of dimensions) checkSelector(selector, pattern);
  return {
    metricName: present(metricName, "metricName"),
    metricNamespace: namespace,
    metricValue: value,
    ...(defaultValue !== undefined && { defaultValue }),
    ...(dimensions.length > 0 && { dimensions: Object.fromEntries(dimensions) }),
    unit: unit ?? "None",
  };
}

/** Throws for a selector that cannot be read with this kind of pattern. */
function checkSelector(selector: string, pattern: FilterPattern): void {
  if (pattern.kind === "text" || (pattern.kind === "words" && !/^\$[\w-]+$/.test(selector))) {
    throw invalidTransformation(`the filter pattern has no field ${selector}`);
  }
  if (pattern.kind === "json") pattern.read("{}", selector);
}

function invalidTransformation(reason: string) {
  return invalidParameter(`Invalid metric transformation: ${reason}`);
}

async function* allGroups(reader: Reader, place: Place): AsyncGenerator<LogGroup> {
  let after: string | undefined;
  for (;;) {
    const entries = await reader.range<LogGroup>(
      { prefix: groupPrefix(place), ...(after !== undefined && { after: [...groupPrefix(place), after] }) },
      { limit: 100 },
    );
    for (const { value } of entries) yield value;
    after = entries.at(-1)?.value.name;
    if (entries.length < 100) return;
  }
}

function isAfter(group: string, filter: string, token: string): boolean {
  const colon = token.indexOf(":");
  const [lastGroup, lastFilter] = [token.slice(0, colon), token.slice(colon + 1)];
  return group > lastGroup || (group === lastGroup && filter > lastFilter);
}

function describe(logGroupName: string, filter: MetricFilter) {
  return {
    filterName: filter.name,
    filterPattern: filter.pattern,
    metricTransformations: [
      {
        metricName: filter.metricName,
        metricNamespace: filter.metricNamespace,
        metricValue: filter.metricValue,
        ...(filter.defaultValue !== undefined && { defaultValue: filter.defaultValue }),
        ...(filter.dimensions && { dimensions: { ...filter.dimensions } }),
        unit: toUnit(filter.unit),
      },
    ],
    creationTime: filter.createdAt,
    logGroupName,
    applyOnTransformedLogs: false,
  };
}

// What is stored has passed the enumeration of the model.
function toUnit(text: string): NonNullable<MetricTransformation["unit"]> {
  return text as NonNullable<MetricTransformation["unit"]>;
}
