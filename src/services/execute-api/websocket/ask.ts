/** What may be asked of an open connection, wherever it is held. */
export type Ask =
  { readonly do: "post"; readonly data: Uint8Array } | { readonly do: "describe" } | { readonly do: "close" };

export type Answer =
  | { readonly answer: "done" }
  /** There is no such connection, or not any more. */
  | { readonly answer: "gone" }
  /** The client reads too slowly: what was posted before still waits for it. */
  | { readonly answer: "full" }
  | {
      readonly answer: "described";
      /** Epoch milliseconds. */
      readonly connectedAt: number;
      readonly lastActiveAt: number;
      readonly sourceIp: string;
      readonly userAgent: string;
    };

export const gone: Answer = { answer: "gone" };
export const done: Answer = { answer: "done" };

/** The stage that a connection must be one of. */
export interface ConnectionPlace {
  readonly apiId: string;
  readonly stageName: string;
}

/** Asks connections, whichever node holds them. */
export interface ConnectionsPort {
  /** Rejects when the node that holds the connection does not answer in time. */
  ask(place: ConnectionPlace, connectionId: string, ask: Ask): Promise<Answer>;
}
