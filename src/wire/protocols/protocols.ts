import type { ProtocolName, ServiceModel } from "../model.ts";
import { createAwsJson } from "./aws-json.ts";
import { createAwsQuery } from "./aws-query.ts";
import type { Protocol, ProtocolFactory } from "./protocol.ts";
import { createRestJson } from "./rest-json.ts";
import { createRestXml } from "./rest-xml.ts";
import { createRpcCbor } from "./rpc-cbor.ts";

const factories: Readonly<Record<ProtocolName, ProtocolFactory>> = {
  json: createAwsJson,
  "rest-json": createRestJson,
  "rest-xml": createRestXml,
  query: createAwsQuery,
  "smithy-rpc-v2-cbor": createRpcCbor,
};

export function createProtocol(name: ProtocolName, model: ServiceModel): Protocol {
  return factories[name](model);
}
