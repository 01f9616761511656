/**
 * The facts of a service's model as `tools/tables` extracts them: names, HTTP bindings, serialization traits and
 * constraints, in the vocabulary of botocore's service models, without their documentation.
 */
export interface ServiceTable {
  readonly metadata: TableMetadata;
  readonly operations: Readonly<Record<string, TableOperation>>;
  readonly shapes: Readonly<Record<string, TableShape>>;
}

export interface TableMetadata {
  readonly apiVersion: string;
  readonly protocol: string;
  /** Every protocol the service speaks, the preferred one first. */
  readonly protocols?: readonly string[];
  readonly jsonVersion?: string;
  readonly targetPrefix?: string;
  readonly endpointPrefix?: string;
  readonly signingName?: string;
  readonly serviceId?: string;
  readonly xmlNamespace?: string | { readonly uri: string; readonly prefix?: string };
  /** Error codes are those of the query protocol the service once spoke, and are told in `x-amzn-query-error`. */
  readonly awsQueryCompatible?: object;
}

export interface TableOperation {
  readonly http?: { readonly method?: string; readonly requestUri?: string; readonly responseCode?: number };
  readonly input?: TableReference;
  readonly output?: TableReference & { readonly resultWrapper?: string };
  readonly errors?: readonly TableReference[];
  /** `none` and `v4-unsigned-body`. */
  readonly authtype?: string;
  readonly auth?: readonly string[];
  readonly endpoint?: { readonly hostPrefix?: string };
  readonly requestcompression?: { readonly encodings: readonly string[] };
  readonly deprecated?: boolean;
  /** restXml: the output's one member is the text of the root element. */
  readonly unwrapped?: boolean;
}

export interface TableReference {
  readonly shape: string;
  readonly location?: "uri" | "querystring" | "header" | "headers" | "statusCode";
  readonly locationName?: string;
  readonly flattened?: boolean;
  readonly xmlAttribute?: boolean;
  readonly xmlNamespace?: string | { readonly uri: string; readonly prefix?: string };
  readonly streaming?: boolean;
  readonly jsonvalue?: boolean;
  readonly idempotencyToken?: boolean;
  readonly timestampFormat?: string;
  readonly eventpayload?: boolean;
  readonly eventheader?: boolean;
  readonly hostLabel?: boolean;
  readonly enum?: readonly string[];
}

export interface TableShape {
  readonly type: string;
  readonly members?: Readonly<Record<string, TableReference>>;
  readonly required?: readonly string[];
  readonly payload?: string;
  readonly member?: TableReference;
  readonly key?: TableReference;
  readonly value?: TableReference;
  readonly flattened?: boolean;
  readonly locationName?: string;
  readonly xmlNamespace?: string | { readonly uri: string; readonly prefix?: string };
  readonly xmlOrder?: readonly string[];
  readonly timestampFormat?: string;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly exception?: boolean;
  readonly error?: { readonly code?: string; readonly httpStatusCode?: number; readonly senderFault?: boolean };
  readonly fault?: boolean;
  readonly union?: boolean;
  readonly document?: boolean;
  readonly eventstream?: boolean;
  readonly event?: boolean;
  readonly streaming?: boolean;
  readonly sensitive?: boolean;
}
