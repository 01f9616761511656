import { deflateSync, inflateSync } from "node:zlib";
import type { Key, Reader } from "../../../kernel/store/store.ts";
import type { Call } from "../../../wire/service.ts";
import { reportExpired, reportNotPresent } from "../errors.ts";
import { iamLimits } from "../limits.ts";
import { readMfaDevicesOf } from "../mfa/devices.ts";
import {
  accessKeyKey,
  accessKeyUseKey,
  entityPrefix,
  readAll,
  type AccessKeyRecord,
  type AccessKeyUse,
  type User,
} from "../model.ts";
import { expiryOf, readLoginProfile, readPasswordPolicy, type PasswordPolicy } from "../passwords.ts";
import { onResource, type IamOperations, type OperationNeeds } from "./needs.ts";

interface Report {
  readonly at: number;
  /** Parts of the report, deflated: one value of the store holds only so much. */
  readonly parts: number;
}

/** The credential report: who has which keys, passwords and devices. */
export function credentialReportOperations({ store }: OperationNeeds) {
  return {
    GenerateCredentialReport: {
      authorize: (_input, call) => onResource(call, "*"),
      async run(_input, call) {
        const known = await store.read((reader) => reader.get<Report>(reportKey(call.account)));
        // AWS: one report in four hours.
        if (known && call.now - known.at < iamLimits.reportFreshMs) return { State: "COMPLETE" as const };
        const text = await store.read((reader) => toReport(reader, call));
        const packed = deflateSync(text);
        const parts = Math.ceil(packed.length / iamLimits.reportPartBytes);
        await store.transact(async (tx) => {
          const before = await tx.get<Report>(reportKey(call.account));
          for (let part = parts; part < (before?.parts ?? 0); part++) tx.delete(partKey(call.account, part));
          for (let part = 0; part < parts; part++) {
            const at = part * iamLimits.reportPartBytes;
            tx.set(partKey(call.account, part), new Uint8Array(packed.subarray(at, at + iamLimits.reportPartBytes)));
          }
          tx.set(reportKey(call.account), { at: call.now, parts } satisfies Report);
        });
        return {
          State: "STARTED" as const,
          Description: "No report exists. Starting a new report generation task",
        };
      },
    },
    GetCredentialReport: {
      authorize: (_input, call) => onResource(call, "*"),
      run: (_input, call) =>
        store.read(async (reader) => {
          const report = await reader.get<Report>(reportKey(call.account));
          if (!report) throw reportNotPresent();
          if (call.now - report.at > iamLimits.reportFreshMs) throw reportExpired();
          const keys = Array.from({ length: report.parts }, (_, part) => partKey(call.account, part));
          const parts = (await reader.getMany<Uint8Array>(keys)).filter((part) => part !== undefined);
          return {
            Content: new Uint8Array(inflateSync(Buffer.concat(parts))),
            ReportFormat: "text/csv" as const,
            GeneratedTime: new Date(report.at),
          };
        }),
    },
  } satisfies IamOperations;
}

function reportKey(account: string): Key {
  return ["iamReport", account, "latest"];
}

function partKey(account: string, part: number): Key {
  return ["iamReport", account, "part", part];
}

/** Source: "Get credential reports for your AWS account". */
const columns = [
  "user",
  "arn",
  "user_creation_time",
  "password_enabled",
  "password_last_used",
  "password_last_changed",
  "password_next_rotation",
  "mfa_active",
  ...["access_key_1", "access_key_2"].flatMap((key) => [
    `${key}_active`,
    `${key}_last_rotated`,
    `${key}_last_used_date`,
    `${key}_last_used_region`,
    `${key}_last_used_service`,
  ]),
  "cert_1_active",
  "cert_1_last_rotated",
  "cert_2_active",
  "cert_2_last_rotated",
];

async function toReport(reader: Reader, call: Call): Promise<string> {
  const users = await readAll<User>(reader, entityPrefix(call.account, "user"));
  const policy = await readPasswordPolicy(reader, call.account);
  const rows = [columns, rootRow(call)];
  for (const user of users) rows.push(await toRow(reader, call, user, policy));
  return rows.map((row) => row.join(",")).join("\n");
}

const none = "N/A";
const unknownUse = [none, none, none, none];
const noKey = ["false", ...unknownUse];
const noCertificates = ["false", none, "false", none];

/** The root's key is in a file: when it was made is not known here. */
function rootRow({ account }: Call): string[] {
  return [
    "<root_account>",
    `arn:aws:iam::${account}:root`,
    none,
    "not_supported",
    none,
    "not_supported",
    "not_supported",
    "false",
    "true",
    ...unknownUse,
    ...noKey,
    ...noCertificates,
  ];
}

async function toRow(
  reader: Reader,
  { account }: Call,
  user: User,
  policy: PasswordPolicy | undefined,
): Promise<string[]> {
  const profile = await readLoginProfile(reader, account, user.id);
  const devices = await readMfaDevicesOf(reader, account, user.id);
  const keys = await Promise.all([0, 1].map((index) => keyColumns(reader, user.accessKeyIds[index])));
  const expiry = profile && expiryOf(profile, policy);
  return [
    user.name,
    user.arn,
    toTime(user.createdAt),
    String(profile !== undefined),
    profile ? "no_information" : none,
    profile ? toTime(profile.changedAt) : none,
    expiry === undefined ? none : toTime(expiry),
    String(devices.length > 0),
    ...keys.flat(),
    ...noCertificates,
  ];
}

async function keyColumns(reader: Reader, accessKeyId: string | undefined): Promise<string[]> {
  const record = accessKeyId && (await reader.get<AccessKeyRecord>(accessKeyKey(accessKeyId)));
  if (!record) return noKey;
  const use = await reader.get<AccessKeyUse>(accessKeyUseKey(record.accessKeyId));
  return [
    String(record.status === "Active"),
    toTime(record.createdAt),
    ...(use ? [toTime(use.at), use.region, use.service] : [none, none, none]),
  ];
}

function toTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}+00:00`;
}
