import type { AuthorizationRequest } from "../access/authorization.ts";
import type { ConditionKeys } from "../access/further-keys.ts";
import type { Principal } from "../aws/principal.ts";

/** One call of one operation: who, where, when, and what may be asked of it. */
export interface Call {
  readonly requestId: string;
  /** The service's name as tables know it (`lambda`), and the operation's (`CreateFunction`). */
  readonly service: string;
  readonly operation: string;
  readonly principal: Principal;
  readonly account: string;
  readonly region: string;
  /** Epoch milliseconds, one value for the whole call. */
  readonly now: number;
  /** The platform's address as this client reached it: `http://127.0.0.1:4566`. For URLs in answers. */
  readonly endpoint: string;
  /**
   * Names what is to be made: a service of the platform that does not know whether an earlier call of it got through gives the
   * same one again. Operations that make things without a name of their own make one thing of it.
   */
  readonly creationToken?: string;
  /** The HTTP request behind the call; absent when a service of the platform calls. */
  readonly http?: HttpFacts;
  /** Aborted when the client has gone or the platform stops. */
  readonly signal: AbortSignal;
  /** Ask the evaluator something more than the operation's own `authorize` did (as `iam:PassRole`). Throws the denial. */
  authorize(request: AuthorizationRequest): Promise<void>;
  /** A response header beside those of the modelled output. */
  setHeader(name: string, value: string): void;
  /** Answer with this status instead of the model's (206 for a part of an object). Absent when a service of the platform calls. */
  setStatus?(status: number): void;
}

export interface HttpFacts {
  readonly method: string;
  /** As sent, still percent-encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly sourceIp: string;
  readonly secure: boolean;
  /** `1.3`, of the connection to this process; undefined where it is not encrypted. Absent where it is not known. */
  readonly tlsVersion?: () => string | undefined;
  /** The stage of a WebSocket API, where the request came to its address. */
  readonly connections?: {
    readonly account: string;
    readonly region: string;
    readonly apiId: string;
    readonly stageName: string;
  };
  /** The trailing headers of an `aws-chunked` body, lower-case; complete once the body has ended. Absent for other bodies. */
  readonly trailers?: () => Readonly<Record<string, string>>;
}

/**
 * One AWS operation. Input is parsed and its constraints are checked before `authorize`; `run` is called when that
 * did not throw. Answers with the modelled output; throws an `AwsError` for an answer AWS would give.
 */
export interface Operation<Input, Output> {
  /** What the caller must be allowed to do: every request listed must be. An empty list is for operations AWS lets any principal call. */
  authorize(input: Input, call: Call): Promise<readonly AuthorizationRequest[]> | readonly AuthorizationRequest[];
  run(input: Input, call: Call): Promise<Output> | Output;
}

/**
 * An AWS service: the operations that are built. Whatever the service's table has beside them answers 501 with its name.
 *
 * Inputs and outputs are plain objects with the members of the official model: timestamps are `Date`, blobs
 * `Uint8Array`, streaming blobs in `AsyncIterable<Uint8Array>` (out: that or `Uint8Array`), event streams
 * `AsyncIterable<{ EventName: event }>`, 64-bit integers `number`.
 */
export interface Service {
  /** As in `tables/` and in a credential scope: `lambda`, `s3`, `cloudformation`, `apigateway`. */
  readonly name: string;
  readonly operations: Readonly<Record<string, Operation<never, unknown>>>;
  /**
   * Condition keys of requests, by operation, beside those that `authorize` tells and the tags that requests carry. Asked, for each
   * of the service's own actions, only where a policy looks at such keys.
   */
  readonly conditionKeys?: Readonly<Record<string, RequestKeys<never>>>;
}

export type RequestKeys<Input> = (input: Input, call: Call, action: string) => ConditionKeys | Promise<ConditionKeys>;

/** A service's condition keys, with the types of its official SDK package. */
export type ConditionKeysOf<Sdk> = {
  readonly [Name in OperationName<Sdk>]?: RequestKeys<InputOf<Sdk, Name>>;
};

/**
 * The member of an output that is its own JSON text already, or its bytes: for operations that answer what they keep as text. The JSON
 * protocols send it as it is; other members do not count.
 */
export const encodedOutput = Symbol("encodedOutput");

/** Bodies of streaming members: what operations receive is always the iterable. */
export type StreamIn = AsyncIterable<Uint8Array>;
export type StreamOut = AsyncIterable<Uint8Array> | Uint8Array;

/**
 * The types of a service's operations, read off its official SDK package (types only: nothing of it is loaded):
 * `{ ...operations } satisfies OperationsOf<typeof import("@aws-sdk/client-lambda")>`. Every operation is optional.
 */
export type OperationsOf<Sdk> = {
  readonly [Name in OperationName<Sdk>]?: Operation<InputOf<Sdk, Name>, OutputOf<Sdk, Name>>;
};

export type OperationName<Sdk> = {
  [K in keyof Sdk]: K extends `${infer Name}Command`
    ? Sdk[K] extends new (input: never) => unknown
      ? Name
      : never
    : never;
}[keyof Sdk];

type CommandTypes<Sdk, Name extends string> = `${Name}Command` extends infer K
  ? K extends keyof Sdk
    ? Sdk[K] extends new (input: never) => { readonly middlewareStack: { concat(from: infer Stack): unknown } }
      ? Stack
      : never
    : never
  : never;

/** What an operation receives. Streaming members become `StreamIn`. */
export type InputOf<Sdk, Name extends string> = `${Name}Command` extends infer K
  ? K extends keyof Sdk
    ? // Not from the constructor's parameter: where all members are optional it is overloaded.
      Sdk[K] extends new (input: never) => { readonly input: infer Input }
      ? Received<Input>
      : never
    : never
  : never;

/** What an operation answers: the SDK's output without its metadata. Streaming members become `StreamOut`. */
export type OutputOf<Sdk, Name extends string> =
  CommandTypes<Sdk, Name> extends never ? never : Answered<CommandOutput<Sdk, Name>>;

type CommandOutput<Sdk, Name extends string> = `${Name}Command` extends infer K
  ? K extends keyof Sdk
    ? Sdk[K] extends new (input: never) => infer Instance
      ? Instance extends {
          resolveMiddleware(...args: never[]): (...args: never[]) => Promise<{ output: infer Output }>;
        }
        ? Output
        : never
      : never
    : never
  : never;

type Received<T> = { [K in keyof T]: StreamingIn<T[K]> };
type Answered<T> = { [K in keyof T as K extends "$metadata" ? never : K]: StreamingOut<T[K]> };
// The SDK's streaming types are unions that always admit a web ReadableStream; nothing else in a model does,
// but a blob that is the whole body, for which the SDK also takes an ArrayBuffer.
type StreamingIn<T> = ArrayBuffer extends T
  ? Uint8Array | Extract<T, undefined>
  : ReadableStream extends T
    ? StreamIn | Extract<T, undefined>
    : T;
type StreamingOut<T> = [Extract<T, { transformToByteArray(): unknown }>] extends [never]
  ? BlobOut<T>
  : StreamOut | Extract<T, undefined>;
// A blob that is the whole body: the SDK gives bytes that can turn themselves into text.
type BlobOut<T> = [Extract<T, { transformToString(): unknown }>] extends [never]
  ? T
  : Uint8Array | Extract<T, undefined>;

/** Who a service of the platform calls as, and where. */
export interface CallAs {
  readonly principal: Principal;
  readonly account: string;
  readonly region: string;
  readonly endpoint: string;
  readonly signal?: AbortSignal;
  /** Where a service calls with the permissions of whoever called it: the services on the way, this one last (`aws:CalledVia`). */
  readonly calledVia?: readonly string[];
  /** `Call.creationToken` */
  readonly creationToken?: string;
}

/** A service's built operations as functions; what is not built throws the 501. */
export type ClientOf<Sdk> = {
  readonly [Name in OperationName<Sdk>]: (input: InputOf<Sdk, Name>) => Promise<OutputOf<Sdk, Name>>;
};

/** Typed in-process calls between services: same constraint checks and authorization as over HTTP. */
export interface ServiceDirectory {
  client<Sdk>(service: string, as: CallAs): ClientOf<Sdk>;
  /** The same, by names that are only known at run time. */
  call(service: string, operation: string, input: unknown, as: CallAs): Promise<unknown>;
}

/**
 * An AWS request of a service of the platform on somebody's behalf, in the form it would have over HTTP; it is not signed,
 * for the principal is known.
 */
export interface InnerRequest {
  /** As in a credential scope: `s3`, `dynamodb`. */
  readonly service: string;
  /** The operation, where neither path nor headers name it. */
  readonly action?: string;
  readonly method: string;
  /** Percent-encoded, without the query. */
  readonly path: string;
  /** Without the `?`. */
  readonly query: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly as: CallAs;
  readonly requestId: string;
  readonly sourceIp: string;
}

export interface InnerAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * Answers as the AWS API answers over HTTP, errors included; a service or operation that is not built is its 501. Rejects
 * only when the call is aborted.
 */
export type InnerApi = (request: InnerRequest) => Promise<InnerAnswer>;
