/** Errors of the model that no request can meet here, and why: of any operation, or of one. */
export const neverAnswered: Readonly<Record<string, string>> = {
  InternalServerError: "a fault of the platform",
  RequestLimitExceeded: "requests of an account are not limited in number",
  ReplicatedWriteConflictException: "no table has a replica in another region",
  TransactionConflictException: "writes and transactions wait for one another",
  TransactionInProgressException: "a transaction with the same token waits for the one before",
  ContinuousBackupsUnavailableException: "point-in-time recovery is available for every table",
  ...Object.fromEntries(
    [
      "CreateBackup",
      "DeleteBackup",
      "RestoreTableFromBackup",
      "RestoreTableToPointInTime",
      "DescribeExport",
      "ExportTableToPointInTime",
      "ListExports",
      "ImportTable",
      "ListImports",
      "DeleteTable",
      "TagResource",
      "UntagResource",
      "UpdateTimeToLive",
      "PutResourcePolicy",
      "DeleteResourcePolicy",
    ].map((operation) => [
      `${operation} LimitExceededException`,
      "any number of tables may change at once; with 2,500 of them, as CreateTable",
    ]),
  ),
  ...Object.fromEntries(
    ["TagResource", "UntagResource", "UpdateTimeToLive", "PutResourcePolicy", "DeleteResourcePolicy"].map(
      (operation) => [`${operation} ResourceInUseException`, "a table that is being made takes its settings"],
    ),
  ),
  "ExecuteTransaction ResourceNotFoundException":
    "a table that is not there is its statement's reason of the cancellation",
  "DeleteItem ItemCollectionSizeLimitExceededException": "no collection grows by what is deleted",
  "BatchExecuteStatement ThrottlingException": "each statement is throttled by itself, and says so in its answer",
  "CreateBackup BackupInUseException": "each backup has a name of its own",
  "RestoreTableFromBackup TableInUseException": "a table that is there already exists, whatever its state",
  "RestoreTableToPointInTime TableInUseException": "a table that is there already exists, whatever its state",
};
