/** What other services may ask of CloudWatch Logs: to write, fast and without a signature. */
export interface LogsPort {
  /** Append events; creates the group and stream when absent. Buffered: durable within a second, ordered per stream. Never throws. */
  append(entry: LogsAppend): void;
  /** Resolves when everything appended before is durable and can be read. */
  flush(): Promise<void>;
}

export interface LogsAppend {
  readonly account: string;
  readonly region: string;
  readonly logGroup: string;
  readonly logStream: string;
  readonly events: readonly { readonly timestamp: number; readonly message: string }[];
}
