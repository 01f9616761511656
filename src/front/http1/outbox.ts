import type { Socket } from "node:net";

type Sent = (error?: Error | null) => void;

/**
 * Answers that are handed to the network together, when all that has come in this turn of the event loop has been looked at. To write
 * to a socket wakes who waits for it, which costs more than the write: a client with several connections is woken once.
 */
export interface Outbox {
  /** @param data text in Latin 1, or bytes */
  add(socket: Socket, data: string | Buffer, sent: Sent): void;
  /** Nothing waits any longer. */
  flush(): void;
}

/** @param max answers that wait for others: each is late by what these take to make */
export function createOutbox(max: number): Outbox {
  let waiting: { readonly socket: Socket; readonly data: string | Buffer; readonly sent: Sent }[] = [];
  let isDue = false;

  const flush = (): void => {
    const all = waiting;
    waiting = [];
    for (const { socket, data, sent } of all) {
      if (typeof data === "string") socket.write(data, "latin1", sent);
      else socket.write(data, sent);
    }
  };
  const flushDue = (): void => {
    isDue = false;
    flush();
  };

  return {
    flush,
    add: (socket, data, sent) => {
      waiting.push({ socket, data, sent });
      if (waiting.length >= max) return flush();
      if (isDue) return;
      isDue = true;
      setImmediate(flushDue);
    },
  };
}
