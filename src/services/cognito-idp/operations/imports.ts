import type { UserImportJobType } from "@aws-sdk/client-cognito-identity-provider";
import { notImplemented } from "../../../aws/error.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import { type Cognito, existingPool } from "../core.ts";
import { limitExceeded, preconditionNotMet, resourceNotFound } from "../errors.ts";
import { columnsOf } from "../imports/csv.ts";
import { scheduleExpiry } from "../imports/expiry.ts";
import { type ImportJob, readImport, statusOf, writeImport } from "../imports/import-job.ts";
import { importKind } from "../imports/run.ts";
import { uploadUrl } from "../imports/upload.ts";
import { cognitoLimits as limits } from "../limits.ts";
import { inPool, type Pool } from "../model.ts";
import type { Sdk } from "../needs.ts";
import { onPool } from "./access.ts";
import { pageOf } from "./paging.ts";

const idCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Users from files. Source: developer guide, "Importing users into user pools from a CSV file". */
export function importOperations(cognito: Cognito) {
  const { store, ids, iam, jobs } = cognito;
  const authorize = onPool(cognito);

  const describe = (
    pool: Pool,
    job: ImportJob,
    { endpoint, now }: { readonly endpoint: string; readonly now: number },
  ): UserImportJobType => ({
    JobName: job.name,
    JobId: job.id,
    UserPoolId: pool.id,
    PreSignedUrl: uploadUrl(cognito, endpoint, pool, job.id, job.createdAt),
    CreationDate: new Date(job.createdAt),
    ...(job.startedAt !== undefined && { StartDate: new Date(job.startedAt) }),
    ...(job.completedAt !== undefined && { CompletionDate: new Date(job.completedAt) }),
    Status: statusOf(job, now),
    CloudWatchLogsRoleArn: job.roleArn,
    ImportedUsers: job.imported,
    SkippedUsers: job.skipped,
    FailedUsers: job.failed,
    ...(job.message !== undefined && { CompletionMessage: job.message }),
  });

  return {
    GetCSVHeader: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        return { UserPoolId: pool.id, CSVHeader: [...columnsOf(pool)] };
      },
    },

    CreateUserImportJob: {
      authorize: async (input, call) => [
        ...(await authorize(input, call)),
        iam.passRole(input.CloudWatchLogsRoleArn ?? "", "cognito-idp.amazonaws.com"),
      ],
      async run(input, call) {
        if (input.PasswordHashingAlgorithm !== undefined) {
          throw notImplemented("The parameter PasswordHashingAlgorithm of CreateUserImportJob");
        }
        const pool = await existingPool(cognito, input.UserPoolId, call);
        const job: ImportJob = {
          v: 1,
          id: `import-${ids.random(10, idCharacters)}`,
          name: input.JobName ?? "",
          roleArn: input.CloudWatchLogsRoleArn ?? "",
          createdAt: call.now,
          status: "Created",
          imported: 0,
          skipped: 0,
          failed: 0,
          next: 0,
          unlogged: [],
        };
        await store.transact(async (tx) => {
          const others = await tx.range({ prefix: inPool("import", pool.id, "job") }, { limit: limits.importJobsMax });
          if (others.length >= limits.importJobsMax) throw limitExceeded("The user pool has too many import jobs.");
          writeImport(tx, pool, job);
          scheduleExpiry(tx, jobs, pool, job);
        });
        return { UserImportJob: describe(pool, job, call) };
      },
    },

    DescribeUserImportJob: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        const job = await store.read((reader) => find(reader, pool, input.JobId));
        return { UserImportJob: describe(pool, job, call) };
      },
    },

    ListUserImportJobs: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        const asked = { limit: input.MaxResults, token: input.PaginationToken };
        const page = await store.read((reader) => pageOf<ImportJob>(reader, inPool("import", pool.id, "job"), asked));
        return {
          UserImportJobs: page.values.map((job) => describe(pool, job, call)),
          ...(page.nextToken !== undefined && { PaginationToken: page.nextToken }),
        };
      },
    },

    StartUserImportJob: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        const job = await store.transact(async (tx) => {
          const before = await find(tx, pool, input.JobId);
          if (statusOf(before, call.now) !== "Created") {
            throw preconditionNotMet(`The job cannot be started. Its status is ${statusOf(before, call.now)}.`);
          }
          if (!before.file) throw preconditionNotMet("The CSV file of the job has not been uploaded.");
          const job: ImportJob = { ...before, status: "Pending", startedAt: call.now };
          writeImport(tx, pool, job);
          jobs.schedule(tx, { kind: importKind, key: [pool.id, job.id], at: call.now });
          return job;
        });
        return { UserImportJob: describe(pool, job, call) };
      },
    },

    StopUserImportJob: {
      authorize,
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        const job = await store.transact(async (tx) => {
          const before = await find(tx, pool, input.JobId);
          if (before.status !== "Pending" && before.status !== "InProgress") {
            throw preconditionNotMet(`The job cannot be stopped. Its status is ${statusOf(before, call.now)}.`);
          }
          const job: ImportJob = { ...before, status: "Stopping" };
          writeImport(tx, pool, job);
          return job;
        });
        return { UserImportJob: describe(pool, job, call) };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

async function find(reader: Reader, pool: Pool, jobId: string | undefined): Promise<ImportJob> {
  const job = await readImport(reader, pool, jobId ?? "");
  if (!job) throw resourceNotFound(`User import job ${jobId} does not exist.`);
  return job;
}
