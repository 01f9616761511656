import { toArn } from "../../../aws/arn.ts";
import { invalidCallbackId, invalidToken, tokenOfAnother } from "./errors.ts";
import type { ExecutionKey, ExecutionRecord } from "./model.ts";

/** `arn:aws:lambda:REGION:ACCOUNT:function:FUNCTION:VERSION/durable-execution/NAME/ID` */
export function executionArn(key: ExecutionKey, record: Pick<ExecutionRecord, "name" | "version">): string {
  const resource = `function:${key.functionName}:${record.version}/durable-execution/${record.name}/${key.id}`;
  return toArn("lambda", key.region, key.account, resource);
}

export interface ExecutionReference extends ExecutionKey {
  readonly version: string;
  readonly name: string;
}

const form =
  /^arn:[a-zA-Z0-9-]+:lambda:([a-zA-Z0-9-]+):(\d{12}):function:([a-zA-Z0-9_-]+):(\$LATEST|[0-9]+)\/durable-execution\/([a-zA-Z0-9_-]+)\/([a-zA-Z0-9_-]+)$/;

export function parseExecutionArn(arn: string): ExecutionReference | undefined {
  const [, region, account, functionName, version, name, id] = form.exec(arn) ?? [];
  if (!region || !account || !functionName || !version || !name || !id) return undefined;
  return { region, account, functionName, version, name, id };
}

/** A checkpoint token: good for one checkpoint of one invocation. */
export function checkpointToken(key: ExecutionKey, invocation: string, sequence: number): string {
  return Buffer.from(`${key.id}:${invocation}:${sequence}`).toString("base64");
}

/** Throws unless the token is the one that the invocation under way holds. */
export function checkToken(key: ExecutionKey, record: ExecutionRecord, token: string): void {
  const [id] = Buffer.from(token, "base64").toString("utf8").split(":");
  if (id !== key.id && /^[0-9a-f-]{36}$/.test(id ?? "")) throw tokenOfAnother();
  const { progress } = record;
  if (progress.state === "closed" || progress.lane.phase !== "invoking") throw invalidToken();
  if (token !== checkpointToken(key, progress.lane.invocation, progress.sequence)) throw invalidToken();
}

/** Says which callback of which execution; `secret` makes it unguessable. */
export function callbackId(key: ExecutionKey, operationId: string, secret: string): string {
  const parts = [key.account, key.region, key.functionName, key.id, operationId, secret];
  return Buffer.from(parts.join("\n")).toString("base64");
}

export interface CallbackReference extends ExecutionKey {
  readonly operationId: string;
}

/** Throws InvalidParameterValueException for what is no callback's identifier. */
export function parseCallbackId(text: string): CallbackReference {
  const parts = Buffer.from(text, "base64").toString("utf8").split("\n");
  const [account, region, functionName, id, operationId, secret] = parts;
  if (!account || !region || !functionName || !id || !operationId || !secret || parts.length !== 6) {
    throw invalidCallbackId();
  }
  return { account, region, functionName, id, operationId };
}
