import type { Config } from "../config.ts";

/** What the supervising process tells a worker. Connections come as `connection`, with the socket beside the message. */
export type ToWorker =
  | {
      readonly kind: "begin";
      /** From 1. The worker that takes a dead one's place gets its number. */
      readonly slot: number;
      readonly workers: number;
      readonly config: Config;
      /** Of the listener, which the supervising process holds. */
      readonly port: number;
      /** Tells the sandboxes of workers on one host apart: eight hexadecimal digits. */
      readonly instance: string;
    }
  /** Numbered in the order in which they are sent. */
  | { readonly kind: "connection"; readonly connection: number }
  /** The workers that are ready, this one among them. */
  | { readonly kind: "live"; readonly slots: readonly number[] }
  | { readonly kind: "from"; readonly slot: number; readonly body: unknown }
  | { readonly kind: "drain" }
  /** Is its event loop well? It says `alive`. */
  | { readonly kind: "ask" }
  /** Read the TLS certificate again. */
  | { readonly kind: "reload" }
  | { readonly kind: "stop" };

/** What a worker tells the supervising process. */
export type FromWorker =
  | { readonly kind: "ready"; readonly endpoint: string }
  | { readonly kind: "isolates"; readonly isolates: boolean }
  | { readonly kind: "alive" }
  /** Connections it has got, by their numbers, and how many have ended, since it last told. */
  | { readonly kind: "load"; readonly taken: readonly number[]; readonly closed: number }
  /** For the worker of that slot, or for all others. */
  | { readonly kind: "to"; readonly slot: number | "others"; readonly body: unknown };

/** Both ends are this program, of one version: the other's messages are taken as they come. */
export function parseToWorker(message: unknown): ToWorker {
  return message as ToWorker;
}

export function parseFromWorker(message: unknown): FromWorker {
  return message as FromWorker;
}
