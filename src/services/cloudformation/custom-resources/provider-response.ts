import { cloudFormationLimits as limits } from "../limits.ts";
import { isObject, type JsonObject, type JsonValue } from "../template/parse.ts";

/** What a provider has answered, as it is kept. */
export type ProviderResponse =
  | {
      readonly status: "SUCCESS";
      /** Absent where the provider gave none: only a deletion needs none. */
      readonly physicalId?: string;
      readonly data: JsonObject;
      /** Its data is not to be shown. */
      readonly noEcho: boolean;
    }
  | { readonly status: "FAILED"; readonly reason: string; readonly physicalId?: string }
  | { readonly status: "INVALID"; readonly reason: string };

/** What a response must repeat. */
export interface ResponseSubject {
  readonly stackId: string;
  readonly requestId: string;
  readonly logicalId: string;
}

/** Source: CloudFormation user guide, "Custom resource response objects". Never throws: what is wrong is a response too. */
export function parseProviderResponse(body: Uint8Array | undefined, subject: ResponseSubject): ProviderResponse {
  if (body === undefined || body.length > limits.customResponseBytesMax) return invalid("Response object is too long.");
  let response: JsonValue;
  try {
    response = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return invalid("Invalid Response object: it is not JSON");
  }
  if (!isObject(response)) return invalid("Invalid Response object: it is not a JSON object");
  const { Status, Reason, PhysicalResourceId, StackId, RequestId, LogicalResourceId, Data, NoEcho } = response;
  const repeated = { StackId, RequestId, LogicalResourceId };
  const due = { StackId: subject.stackId, RequestId: subject.requestId, LogicalResourceId: subject.logicalId };
  for (const name of ["StackId", "RequestId", "LogicalResourceId"] as const) {
    if (repeated[name] !== due[name]) return invalid(`Invalid Response object: ${name} is not that of the request`);
  }
  const isId = typeof PhysicalResourceId === "string" && PhysicalResourceId !== "";
  if (isId && Buffer.byteLength(PhysicalResourceId) > limits.customPhysicalIdBytesMax) {
    return invalid("Invalid PhysicalResourceId");
  }
  const physicalId = isId ? { physicalId: PhysicalResourceId } : {};
  if (Status === "FAILED") return { status: "FAILED", reason: typeof Reason === "string" ? Reason : "", ...physicalId };
  if (Status !== "SUCCESS") {
    return invalid(`Invalid Response object: '${String(Status).slice(0, 100)}' is not a valid ResponseStatus`);
  }
  if (!isId && PhysicalResourceId !== undefined && PhysicalResourceId !== null && PhysicalResourceId !== "") {
    return invalid("Invalid PhysicalResourceId");
  }
  // AWS: modules for providers say `null` or an empty text for none.
  const data = Data === undefined || Data === null || Data === "" ? {} : Data;
  if (!isObject(data)) return invalid("Invalid Response object: Data is not a JSON object");
  return { status: "SUCCESS", data, noEcho: NoEcho === true || NoEcho === "true", ...physicalId };
}

function invalid(reason: string): ProviderResponse {
  return { status: "INVALID", reason };
}
