import type { ImportTableInput, Tag, UpdateTableInput } from "@aws-sdk/client-dynamodb";
import { AwsError } from "../../../aws/error.ts";
import type { ClientOf } from "../../../wire/service.ts";
import type { Properties, ResourceContext } from "../../cloudformation/port.ts";
import type { Sdk } from "../needs.ts";

type Client = ClientOf<Sdk>;

/** Makes a table of what lies in a bucket, and waits for it. @throws {AwsError} where the import fails: it leaves no table */
export async function importTable(
  context: ResourceContext,
  dynamodb: Client,
  source: Properties,
  definition: NonNullable<ImportTableInput["TableCreationParameters"]>,
): Promise<void> {
  const { ImportTableDescription: begun } = await dynamodb.ImportTable({
    ...toSource(source),
    TableCreationParameters: definition,
    // The same import where this is done again.
    ClientToken: context.clientToken,
  });
  for (;;) {
    const { ImportTableDescription: now } = await dynamodb.DescribeImport({ ImportArn: begun?.ImportArn });
    if (now?.ImportStatus === "COMPLETED") return;
    if (now?.ImportStatus === "FAILED") {
      throw new AwsError("ImportFailed", 400, `${now.FailureCode ?? ""}: ${now.FailureMessage ?? ""}`);
    }
    await context.wait(100);
  }
}

/** What the specification says it is; the operation refuses what it cannot be. */
function toSource(source: Properties) {
  const given: object = { S3BucketSource: undefined, InputFormat: undefined, ...source };
  return given as Pick<
    ImportTableInput,
    "S3BucketSource" | "InputFormat" | "InputFormatOptions" | "InputCompressionType"
  >;
}

/** What an import does not give to its table. */
export async function completeImported(
  dynamodb: Client,
  TableName: string,
  more: {
    readonly settings: Pick<UpdateTableInput, "TableClass" | "DeletionProtectionEnabled" | "StreamSpecification">;
    readonly tags: readonly Tag[];
    readonly policy: string | undefined;
  },
): Promise<void> {
  const { settings, tags, policy } = more;
  const { Table } = await dynamodb.DescribeTable({ TableName });
  const { StreamSpecification: stream, ...rest } = settings;
  const isStreamed = Table?.StreamSpecification?.StreamEnabled === true;
  const update = { ...rest, ...(stream && !isStreamed && { StreamSpecification: stream }) };
  if (Object.keys(update).length > 0) await dynamodb.UpdateTable({ TableName, ...update });
  const ResourceArn = Table?.TableArn;
  if (tags.length > 0) await dynamodb.TagResource({ ResourceArn, Tags: [...tags] });
  if (policy !== undefined) await dynamodb.PutResourcePolicy({ ResourceArn, Policy: policy });
}
