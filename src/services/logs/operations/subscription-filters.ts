import { parseArn } from "../../../aws/arn.ts";
import { AwsError, notImplemented } from "../../../aws/error.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { invokeAsLogs } from "../deliveries.ts";
import { filterNotFound, invalidParameter, limitExceeded } from "../errors.ts";
import { parseFilterPattern } from "../filter-pattern/parse.ts";
import { logsLimits } from "../limits.ts";
import { writeGroup, type SubscriptionFilter } from "../model.ts";
import { present } from "../rules.ts";
import { parseNameToken, toNameToken } from "../tokens.ts";
import { existingGroup, onGroup, type OperationNeeds, type Sdk } from "./needs.ts";

export function subscriptionFilterOperations(needs: OperationNeeds) {
  const { store, writer } = needs;

  /** AWS invokes nothing when a filter is put, but asks whether it may. */
  const checkDestination = async (group: string, destinationArn: string, call: Call) => {
    try {
      await invokeAsLogs(needs, { place: call, group, destinationArn }, { InvocationType: "DryRun" }, call.signal);
    } catch (error) {
      if (!(error instanceof AwsError) || error.status >= 500) throw error;
      throw invalidParameter(
        "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function.",
      );
    }
  };

  return {
    PutSubscriptionFilter: {
      authorize: (input, call) => onGroup("PutSubscriptionFilter", present(input.logGroupName, "logGroupName"), call),
      async run(input, call) {
        const group = present(input.logGroupName, "logGroupName");
        if (input.distribution === "Random") throw refuse("distribution=Random");
        if (input.applyOnTransformedLogs) throw refuse("applyOnTransformedLogs");
        if (input.fieldSelectionCriteria) throw refuse("fieldSelectionCriteria");
        if (input.emitSystemFields && input.emitSystemFields.length > 0) throw refuse("emitSystemFields");
        const destinationArn = parseDestination(present(input.destinationArn, "destinationArn"));
        if (input.roleArn !== undefined) {
          throw invalidParameter("destinationArn for vendor lambda cannot be used with roleArn");
        }
        const pattern = input.filterPattern ?? "";
        parseFilterPattern(pattern);
        await writer.flush();
        await store.read((reader) => existingGroup(reader, call, group));
        await checkDestination(group, destinationArn, call);
        await store.transact(async (tx) => {
          const before = await existingGroup(tx, call, group);
          const name = present(input.filterName, "filterName");
          const others = (before.subscriptionFilters ?? []).filter((each) => each.name !== name);
          if (others.length >= logsLimits.subscriptionFiltersMax) throw limitExceeded();
          const filter: SubscriptionFilter = { name, pattern, destinationArn, createdAt: call.now };
          writeGroup(tx, call, { ...before, subscriptionFilters: [...others, filter].toSorted(byName) });
        });
        return {};
      },
    },

    DescribeSubscriptionFilters: {
      authorize: (input, call) =>
        onGroup("DescribeSubscriptionFilters", present(input.logGroupName, "logGroupName"), call),
      async run(input, call) {
        const group = present(input.logGroupName, "logGroupName");
        const after = input.nextToken === undefined ? undefined : parseNameToken(input.nextToken);
        const limit = input.limit ?? logsLimits.describeLimitDefault;
        const { subscriptionFilters = [] } = await store.read((reader) => existingGroup(reader, call, group));
        const found = subscriptionFilters.filter(
          ({ name }) => name.startsWith(input.filterNamePrefix ?? "") && (after === undefined || name > after),
        );
        const page = found.slice(0, limit);
        const last = page.at(-1);
        return {
          subscriptionFilters: page.map((filter) => ({
            filterName: filter.name,
            logGroupName: group,
            filterPattern: filter.pattern,
            destinationArn: filter.destinationArn,
            distribution: "ByLogStream" as const,
            applyOnTransformedLogs: false,
            creationTime: filter.createdAt,
          })),
          ...(found.length > limit && last && { nextToken: toNameToken(last.name) }),
        };
      },
    },

    DeleteSubscriptionFilter: {
      authorize: (input, call) =>
        onGroup("DeleteSubscriptionFilter", present(input.logGroupName, "logGroupName"), call),
      async run(input, call) {
        await writer.flush();
        await store.transact(async (tx) => {
          const before = await existingGroup(tx, call, present(input.logGroupName, "logGroupName"));
          const { subscriptionFilters = [] } = before;
          const left = subscriptionFilters.filter(({ name }) => name !== input.filterName);
          if (left.length === subscriptionFilters.length) throw filterNotFound("subscription");
          writeGroup(tx, call, { ...before, subscriptionFilters: left });
        });
        return {};
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function refuse(member: string) {
  return notImplemented(`The parameter ${member} of PutSubscriptionFilter`);
}

function parseDestination(text: string): string {
  const arn = parseArn(text);
  if (!arn) throw invalidParameter(`Invalid destinationArn: ${text}`);
  if (["kinesis", "firehose", "logs", "es"].includes(arn.service)) {
    throw notImplemented(`The destination ${arn.service} in destinationArn of PutSubscriptionFilter`);
  }
  if (arn.service !== "lambda" || !arn.resource.startsWith("function:")) {
    throw invalidParameter(`Invalid destinationArn: ${text}`);
  }
  return text;
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}
