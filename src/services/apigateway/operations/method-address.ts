import type { Transaction } from "../../../kernel/store/store.ts";
import type { Call } from "../../../wire/service.ts";
import { childNotFound } from "../errors.ts";
import { type MethodRecord, readChild, type ResourceRecord, writeChild } from "../model.ts";
import type { ApiGatewayNeeds } from "./needs.ts";

/** What addresses a method in every request about one. */
export interface MethodAddress {
  readonly restApiId?: string | undefined;
  readonly resourceId?: string | undefined;
  readonly httpMethod?: string | undefined;
}

export function methodPath(input: MethodAddress): string {
  return `/restapis/${input.restApiId}/resources/${input.resourceId}/methods/${input.httpMethod}`;
}

/** Throws NotFoundException when the resource lacks the method. */
export function methodOf(resource: ResourceRecord, { httpMethod }: MethodAddress): MethodRecord {
  const method = resource.methods[httpMethod ?? ""];
  if (method === undefined) throw childNotFound("Method");
  return method;
}

/** Change one method in a transaction, and give what it has become. */
export async function changeMethod(
  needs: ApiGatewayNeeds,
  call: Call,
  address: MethodAddress,
  change: (method: MethodRecord, tx: Transaction) => MethodRecord | Promise<MethodRecord>,
): Promise<MethodRecord> {
  return needs.store.transact(async (tx) => {
    const resource = await readChild(tx, call, address.restApiId, "resource", address.resourceId);
    const method = await change(methodOf(resource, address), tx);
    writeMethod(tx, call, address, resource, method);
    return method;
  });
}

export function writeMethod(
  tx: Transaction,
  call: Call,
  address: MethodAddress,
  resource: ResourceRecord,
  method: MethodRecord,
): void {
  const methods = { ...resource.methods, [method.httpMethod]: method };
  writeChild(tx, call, address.restApiId ?? "", "resource", resource.id, { ...resource, methods });
}
