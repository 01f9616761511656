import { toArn } from "../../aws/arn.ts";
import type { Key, Reader, Transaction } from "../../kernel/store/store.ts";

/** A log group as stored. Version 1. */
export interface LogGroup {
  readonly v: 1;
  /** Unique to this incarnation: what is stored below a deleted group is never seen by a new one of the same name. */
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly retentionInDays?: number;
  readonly logGroupClass: "STANDARD" | "INFREQUENT_ACCESS";
  readonly deletionProtection: boolean;
  readonly tags: Readonly<Record<string, string>>;
  /** By name. Here, so that whoever appends reads them with the group. */
  readonly subscriptionFilters?: readonly SubscriptionFilter[];
  readonly metricFilters?: readonly MetricFilter[];
}

export interface SubscriptionFilter {
  readonly name: string;
  readonly pattern: string;
  /** A function, with or without a qualifier. */
  readonly destinationArn: string;
  readonly createdAt: number;
}

export interface MetricFilter {
  readonly name: string;
  readonly pattern: string;
  readonly createdAt: number;
  readonly metricName: string;
  readonly metricNamespace: string;
  /** A number, or the selector of one. */
  readonly metricValue: string;
  readonly defaultValue?: number;
  /** Names of dimensions, and selectors of their values. */
  readonly dimensions?: Readonly<Record<string, string>>;
  readonly unit: string;
}

/** A log stream as stored. Version 1. */
export interface LogStream {
  readonly v: 1;
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly firstEventAt?: number;
  readonly lastEventAt?: number;
  readonly lastIngestionAt?: number;
  readonly storedBytes: number;
}

/** A policy of an account's logs as stored. Version 1. */
export interface ResourcePolicy {
  readonly v: 1;
  readonly name: string;
  readonly document: string;
  readonly updatedAt: number;
}

/** Whose state: part of every group's key. */
export interface Place {
  readonly account: string;
  readonly region: string;
}

export const logsPrefix = "logs";

export function groupPrefix(place: Place): Key {
  return [logsPrefix, "group", place.account, place.region];
}

export function resourcePolicyPrefix(place: Place): Key {
  return [logsPrefix, "policy", place.account, place.region];
}

export function streamPrefix(groupId: string): Key {
  return [logsPrefix, "stream", groupId];
}

export function groupChunkPrefix(groupId: string): Key {
  return [logsPrefix, "chunk", groupId];
}

export function chunkPrefix(groupId: string, streamId: string): Key {
  return [logsPrefix, "chunk", groupId, streamId];
}

export function readGroup(reader: Reader, place: Place, name: string): Promise<LogGroup | undefined> {
  return reader.get<LogGroup>([...groupPrefix(place), name]);
}

export function writeGroup(tx: Transaction, place: Place, group: LogGroup): void {
  tx.set([...groupPrefix(place), group.name], group);
}

export function readStream(reader: Reader, groupId: string, name: string): Promise<LogStream | undefined> {
  return reader.get<LogStream>([...streamPrefix(groupId), name]);
}

export function writeStream(tx: Transaction, groupId: string, stream: LogStream): void {
  tx.set([...streamPrefix(groupId), stream.name], stream);
}

/** `arn:aws:logs:REGION:ACCOUNT:log-group:NAME`, without the `:*` that DescribeLogGroups' `arn` ends in. */
export function groupArn(place: Place, name: string): string {
  return toArn("logs", place.region, place.account, `log-group:${name}`);
}

export function streamArn(place: Place, group: string, stream: string): string {
  return `${groupArn(place, group)}:log-stream:${stream}`;
}
