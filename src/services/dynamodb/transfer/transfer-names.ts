import { parseArn } from "../../../aws/arn.ts";
import { validation } from "../errors.ts";
import type { Place } from "../model.ts";

/** Which export or import an ARN names. */
export interface TransferName {
  readonly table: string;
  readonly id: string;
  readonly arn: string;
}

/** @throws {ValidationException} for what is no such ARN in this account and region */
export function parseTransferArn(kind: "export" | "import", text: string | undefined, place: Place): TransferName {
  const arn = parseArn(text ?? "");
  const [, table, found, id] =
    /^table\/([a-zA-Z0-9_.-]{3,255})\/(export|import)\/([0-9a-z-]{1,64})$/.exec(arn?.resource ?? "") ?? [];
  const isHere = arn?.service === "dynamodb" && arn.region === place.region && arn.account === place.account;
  if (!isHere || table === undefined || id === undefined || found !== kind) {
    throw validation(`Invalid ${kind} ARN: ${text ?? ""}`);
  }
  return { table, id, arn: text ?? "" };
}

/** Digits of sixteen by sixteen, and at least as many as the model wants of a token of ListImports. */
export function toPageToken(id: string): string {
  const digits = Buffer.from(id).toString("hex");
  return digits.padEnd(Math.max(112, Math.ceil(digits.length / 16) * 16), "0");
}

/** @throws {ValidationException} for what is no token of ours */
export function fromPageToken(token: string): string {
  const id = Buffer.from(token, "hex").toString("utf8").replaceAll("\0", "");
  if (!/^\d{14}-[0-9a-f]{8}$/.test(id)) throw validation("Invalid NextToken");
  return id;
}
