import { AwsError } from "../../aws/error.ts";
import type { CancellationReason } from "./items/cancellation.ts";

function refusal(code: string, message: string, members: Readonly<Record<string, unknown>> = {}): AwsError {
  return new AwsError(code, 400, message, { members });
}

export function validation(message: string): AwsError {
  return refusal("ValidationException", message);
}

/** What nearly every refused parameter begins with. */
export function invalidValues(message: string): AwsError {
  return validation(`One or more parameter values were invalid: ${message}`);
}

export function serialization(message: string): AwsError {
  return refusal("SerializationException", message);
}

/** The data operations' answer to a table that does not exist. */
export function resourceNotFound(): AwsError {
  return refusal("ResourceNotFoundException", "Requested resource not found");
}

/** The table operations' answer, which names the table. */
export function tableNotFound(name: string): AwsError {
  return refusal("ResourceNotFoundException", `Requested resource not found: Table: ${name} not found`);
}

/** AWS: the word is misspelt. */
export function arnNotFound(arn: string): AwsError {
  return refusal("ResourceNotFoundException", `Requested resource not found: ResourcArn: ${arn} not found`);
}

export function tableNotFoundNamed(name: string): AwsError {
  return refusal("TableNotFoundException", `Table not found: ${name}`);
}

export function tableExists(name: string): AwsError {
  return refusal("ResourceInUseException", `Table already exists: ${name}`);
}

export function tableAlreadyExists(name: string): AwsError {
  return refusal("TableAlreadyExistsException", `Table already exists: ${name}`);
}

export function resourceInUse(message: string): AwsError {
  return refusal("ResourceInUseException", message);
}

export function limitExceeded(message: string): AwsError {
  return refusal("LimitExceededException", message);
}

export function conditionalCheckFailed(item?: unknown): AwsError {
  return refusal(
    "ConditionalCheckFailedException",
    "The conditional request failed",
    item === undefined ? {} : { Item: item },
  );
}

/** PartiQL's INSERT makes items, and replaces none. */
export function duplicateItem(): AwsError {
  return refusal("DuplicateItemException", "Duplicate primary key exists in table");
}

export function itemCollectionTooLarge(): AwsError {
  return refusal("ItemCollectionSizeLimitExceededException", "Collection size exceeded.");
}

export function throughputExceeded(): AwsError {
  return refusal(
    "ProvisionedThroughputExceededException",
    "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.",
  );
}

/** On-demand tables have a maximum only where one was set. */
export function onDemandExceeded(): AwsError {
  return refusal(
    "ThrottlingException",
    "Throughput exceeds the maximum OnDemandThroughput configured on table or index",
  );
}

export function transactionCanceled(reasons: readonly CancellationReason[]): AwsError {
  const codes = reasons.map((each) => each.Code).join(", ");
  return refusal(
    "TransactionCanceledException",
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
    { CancellationReasons: reasons },
  );
}

export function idempotentParameterMismatch(): AwsError {
  return refusal(
    "IdempotentParameterMismatchException",
    "Your request contained the same client token as an earlier request, but the parameters do not match.",
  );
}

export function policyNotFound(arn: string): AwsError {
  return refusal("PolicyNotFoundException", `Resource-based policy not found for the provided ResourceArn: ${arn}`);
}

export function tableInUse(name: string): AwsError {
  return refusal("TableInUseException", `Table is being created or deleted: ${name}`);
}

export function backupNotFound(arn: string): AwsError {
  return refusal("BackupNotFoundException", `Backup not found: ${arn}`);
}

export function backupInUse(message: string): AwsError {
  return refusal("BackupInUseException", message);
}

export function exportNotFound(arn: string): AwsError {
  return refusal("ExportNotFoundException", `Export not found: ${arn}`);
}

export function exportConflict(): AwsError {
  return refusal("ExportConflictException", "An export with this ClientToken and other parameters exists");
}

export function invalidExportTime(): AwsError {
  return refusal("InvalidExportTimeException", "Export time is outside of the point in time recovery window");
}

export function importNotFound(arn: string): AwsError {
  return refusal("ImportNotFoundException", `Import not found: ${arn}`);
}

export function importConflict(): AwsError {
  return refusal("ImportConflictException", "An import with this ClientToken and other parameters exists");
}

export function recoveryUnavailable(table: string): AwsError {
  return refusal(
    "PointInTimeRecoveryUnavailableException",
    `Point in time recovery is not enabled for table '${table}'`,
  );
}

export function invalidRestoreTime(): AwsError {
  return refusal("InvalidRestoreTimeException", "Restore time is outside of the point in time recovery window");
}
