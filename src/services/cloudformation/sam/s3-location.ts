import { resourceProblem } from "./problems.ts";
import { isDict, isGiven, isString, type Dict } from "./values.ts";

/** `s3://bucket/key?versionId=v`, taken apart. */
function parseS3Uri(uri: unknown): Dict | undefined {
  const [, bucket, path, query] = /^s3:\/\/([^/?#]+)(\/[^?#]*)(?:\?([^#]*))?/i.exec(isString(uri) ? uri : "") ?? [];
  if (bucket === undefined || path === undefined) return undefined;
  const versions = new URLSearchParams(query ?? "").getAll("versionId").filter((version) => version !== "");
  const [version] = versions;
  return {
    Bucket: bucket,
    Key: path.replace(/^\/+/, ""),
    ...(versions.length === 1 && version !== undefined ? { Version: version } : {}),
  };
}

/** A location given as a URI or as `Bucket`, `Key` and `Version`. */
export function parseLocation(logicalId: string, property: string, value: unknown): Dict {
  if (isDict(value)) {
    if (isGiven(value["Bucket"]) && isGiven(value["Key"])) return value;
    throw resourceProblem(logicalId, `'${property}' requires Bucket and Key properties to be specified.`);
  }
  const parsed = parseS3Uri(value);
  if (parsed) return parsed;
  throw resourceProblem(
    logicalId,
    `'${property}' is not a valid S3 Uri of the form 's3://bucket/key' with optional versionId query parameter.`,
  );
}

/** `DefinitionUri` as API Gateway and Step Functions take it. */
export function definitionLocation(logicalId: string, value: unknown): Dict {
  const { Bucket, Key, ...rest } = parseLocation(logicalId, "DefinitionUri", value);
  return { Bucket, Key, ...(Object.hasOwn(rest, "Version") ? { Version: rest["Version"] } : {}) };
}

/** `CodeUri` and `ContentUri` as Lambda takes them. */
export function codeLocation(logicalId: string, property: string, value: unknown): Dict {
  if (!isDict(value) && !isString(value)) {
    throw resourceProblem(logicalId, `'${property}' must be of type dict or string.`);
  }
  const reference = isString(value)
    ? /\{\{resolve:(ssm|ssm-secure|secretsmanager):[a-zA-Z0-9_.\-/]+(:\d+)?\}\}/.exec(value)?.[0]
    : undefined;
  if (reference?.includes("/") === true) {
    throw resourceProblem(
      logicalId,
      `Unsupported dynamic reference detected in '${property}'. Please consider using alternative 'FunctionCode' object format.`,
    );
  }
  const location = parseLocation(logicalId, property, value);
  return {
    S3Bucket: location["Bucket"],
    S3Key: location["Key"],
    ...(Object.hasOwn(location, "Version") ? { S3ObjectVersion: location["Version"] } : {}),
    ...(Object.hasOwn(location, "StorageMode") ? { S3ObjectStorageMode: location["StorageMode"] } : {}),
  };
}
