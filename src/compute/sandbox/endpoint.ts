import { connect } from "node:net";
import type { Server, Socket } from "node:net";

/** What one environment may hold open to the platform at a time. */
const connectionsMax = 256;

/** Connections that arrive on a listener inside an environment go to the platform's own port. */
export function serveEndpoint(listener: Server, port: number): void {
  listener.maxConnections = connectionsMax;
  listener.on("error", () => {});
  listener.on("connection", (inner) => {
    const outer = connect({ port, host: "127.0.0.1", noDelay: true });
    join(inner, outer);
    join(outer, inner);
    inner.pipe(outer).pipe(inner);
  });
}

function join(from: Socket, to: Socket): void {
  from.on("error", () => to.destroy());
  from.on("close", () => to.destroySoon());
}
