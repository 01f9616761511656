import { notImplemented } from "../../../aws/error.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import { deletionProtected, groupExists, invalidParameter } from "../errors.ts";
import { logsLimits } from "../limits.ts";
import { groupArn, groupPrefix, readGroup, writeGroup, type LogGroup, type Place } from "../model.ts";
import { groupNameOf, present } from "../rules.ts";
import { checkTags } from "../tags.ts";
import { parseNameToken, toNameToken } from "../tokens.ts";
import { forgetGroup, scheduleRetention } from "../worker.ts";
import { existingGroup, onGroup, type OperationNeeds, type Sdk } from "./needs.ts";

export function logGroupOperations({ store, jobs, ids, writer }: OperationNeeds) {
  return {
    CreateLogGroup: {
      authorize: ({ logGroupName, tags }, call) => {
        const name = present(logGroupName, "logGroupName");
        return [...onGroup("CreateLogGroup", name, call), ...(tags ? onGroup("TagResource", name, call) : [])];
      },
      async run(input, call) {
        const name = present(input.logGroupName, "logGroupName");
        if (input.kmsKeyId !== undefined) throw notImplemented("The parameter kmsKeyId of CreateLogGroup");
        const logGroupClass = input.logGroupClass ?? "STANDARD";
        if (logGroupClass !== "STANDARD" && logGroupClass !== "INFREQUENT_ACCESS") {
          throw notImplemented(`The log group class ${logGroupClass}`);
        }
        const tags = input.tags ?? {};
        checkTags(groupArn(call, name), tags);
        await writer.flush();
        await store.transact(async (tx) => {
          if (await readGroup(tx, call, name)) throw groupExists();
          writeGroup(tx, call, {
            v: 1,
            id: ids.uuid(),
            name,
            createdAt: call.now,
            logGroupClass,
            deletionProtection: input.deletionProtectionEnabled ?? false,
            tags,
          });
        });
        return {};
      },
    },

    DeleteLogGroup: {
      authorize: (input, call) => onGroup("DeleteLogGroup", present(input.logGroupName, "logGroupName"), call),
      async run(input, call) {
        const name = present(input.logGroupName, "logGroupName");
        await writer.flush();
        await store.transact(async (tx) => {
          const group = await existingGroup(tx, call, name);
          if (group.deletionProtection) throw deletionProtected();
          tx.delete([...groupPrefix(call), name]);
          forgetGroup(tx, jobs, call, group, call.now);
        });
        return {};
      },
    },

    DescribeLogGroups: {
      authorize: (input, call) => onGroup("DescribeLogGroups", input.logGroupNamePrefix ?? "", call),
      async run(input, call) {
        const { logGroupNamePrefix: prefix, logGroupNamePattern: pattern, logGroupIdentifiers } = input;
        if (input.includeLinkedAccounts || input.accountIdentifiers) {
          throw notImplemented("Cross-account DescribeLogGroups (accountIdentifiers, includeLinkedAccounts)");
        }
        if (prefix !== undefined && pattern !== undefined) {
          throw invalidParameter("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.");
        }
        const wanted = logGroupIdentifiers?.map((each) => groupNameOf({ logGroupIdentifier: each }, call));
        const fits = (group: LogGroup) =>
          group.name.startsWith(prefix ?? "") &&
          (pattern === undefined || group.name.toLowerCase().includes(pattern.toLowerCase())) &&
          (wanted === undefined || wanted.includes(group.name)) &&
          (input.logGroupClass === undefined || group.logGroupClass === input.logGroupClass);
        const limit = input.limit ?? logsLimits.describeLimitDefault;
        await writer.flush();
        const after = input.nextToken === undefined ? prefix : parseNameToken(input.nextToken);
        const found = await store.read(async (reader) => {
          const groups: LogGroup[] = [];
          let from = after;
          for (;;) {
            // The group that bears the prefix itself comes first, and `after` would leave it out.
            const exact = input.nextToken === undefined && from === prefix && prefix !== undefined;
            const first = exact ? await readGroup(reader, call, prefix) : undefined;
            if (first && fits(first)) groups.push(first);
            const entries = await reader.range<LogGroup>(
              {
                prefix: groupPrefix(call),
                ...(from !== undefined && { after: [...groupPrefix(call), from] }),
              },
              { limit: 100 },
            );
            for (const { value } of entries) {
              if (prefix !== undefined && !value.name.startsWith(prefix)) return groups;
              if (fits(value)) groups.push(value);
              if (groups.length > limit) return groups;
            }
            from = entries.at(-1)?.value.name;
            if (entries.length < 100) return groups;
          }
        });
        const page = found.slice(0, limit);
        const last = page.at(-1);
        return {
          logGroups: page.map((group) => describeGroup(group, call)),
          ...(found.length > limit && last && { nextToken: toNameToken(last.name) }),
        };
      },
    },

    PutLogGroupDeletionProtection: {
      authorize: (input, call) =>
        onGroup(
          "PutLogGroupDeletionProtection",
          groupNameOf({ logGroupIdentifier: input.logGroupIdentifier }, call),
          call,
        ),
      async run(input, call) {
        const name = groupNameOf({ logGroupIdentifier: input.logGroupIdentifier }, call);
        const deletionProtection = present(input.deletionProtectionEnabled, "deletionProtectionEnabled");
        await store.transact(async (tx) => {
          writeGroup(tx, call, { ...(await existingGroup(tx, call, name)), deletionProtection });
        });
        return {};
      },
    },

    PutRetentionPolicy: {
      authorize: (input, call) => onGroup("PutRetentionPolicy", present(input.logGroupName, "logGroupName"), call),
      async run(input, call) {
        const name = present(input.logGroupName, "logGroupName");
        const retentionInDays = present(input.retentionInDays, "retentionInDays");
        const allowed: readonly number[] = logsLimits.retentionDays;
        if (!allowed.includes(retentionInDays)) {
          throw invalidParameter(
            `1 validation error detected: Value '${retentionInDays}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [${allowed.join(", ")}]`,
          );
        }
        await writer.flush();
        await store.transact(async (tx) => {
          const group = await existingGroup(tx, call, name);
          writeGroup(tx, call, { ...group, retentionInDays });
          scheduleRetention(tx, jobs, call, name, call.now);
        });
        return {};
      },
    },

    DeleteRetentionPolicy: {
      authorize: (input, call) => onGroup("DeleteRetentionPolicy", present(input.logGroupName, "logGroupName"), call),
      async run(input, call) {
        const name = present(input.logGroupName, "logGroupName");
        await store.transact(async (tx) => {
          // The retention job finds no retention and ends by itself.
          const { retentionInDays: _, ...group } = await existingGroup(tx, call, name);
          writeGroup(tx, call, group);
        });
        return {};
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function describeGroup(group: LogGroup, place: Place) {
  const arn = groupArn(place, group.name);
  return {
    logGroupName: group.name,
    creationTime: group.createdAt,
    ...(group.retentionInDays !== undefined && { retentionInDays: group.retentionInDays }),
    metricFilterCount: group.metricFilters?.length ?? 0,
    arn: `${arn}:*`,
    storedBytes: 0,
    logGroupClass: group.logGroupClass,
    logGroupArn: arn,
    deletionProtectionEnabled: group.deletionProtection,
  };
}
