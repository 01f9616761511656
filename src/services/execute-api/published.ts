/** What every stage is published with. */
export interface PublishedBase {
  readonly version: 1;
  readonly account: string;
  readonly region: string;
  readonly apiId: string;
  readonly stageName: string;
  readonly deploymentId: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly disableExecuteApiEndpoint: boolean;
  readonly accessLog?: PublishedAccessLog;
}

/** A line for each request. */
export interface PublishedAccessLog {
  readonly logGroup: string;
  /** Text with `$context.…`. */
  readonly format: string;
}

export interface PublishedLambdaIntegration {
  readonly type: "AWS_PROXY";
  /** As configured: an invocation URI or a function's ARN; stage variables not yet replaced. */
  readonly uri: string;
  readonly timeoutMs: number;
  /** The function is called as whoever called the API, not as the API: for methods authorized by IAM. */
  readonly asCaller?: boolean;
  /** The role that the function is called with; absent where its policy is to allow the API. */
  readonly credentials?: string;
  /** The client gets the answer as the function gives it. */
  readonly streams?: boolean;
}

/** A rate of requests a second, and how many may come at once. */
export interface PublishedRate {
  readonly rateLimit: number;
  readonly burstLimit: number;
}
