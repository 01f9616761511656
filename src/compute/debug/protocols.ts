import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import type { FunctionSpec } from "../compute.ts";
import type { Interpreter } from "../sandbox/sandbox.ts";
import { DebugRefusedError, type DebugProtocol } from "../workbench.ts";

/** What a debugger of the runtime's language speaks, and where it listens inside of a sandbox. */
export function protocolOf(spec: FunctionSpec, language: Interpreter["language"]): DebugProtocol {
  if (spec.image !== undefined) throw new DebugRefusedError("Functions from container images cannot be debugged yet.");
  if (spec.runtime.startsWith("provided")) {
    throw new DebugRefusedError(`Which debugger a custom runtime (${spec.runtime}) takes is not known here.`);
  }
  const protocol = protocols[language];
  if (protocol === undefined) throw new DebugRefusedError("Ruby functions cannot be debugged yet.");
  return protocol;
}

const protocols: Readonly<Record<Interpreter["language"], DebugProtocol | undefined>> = {
  node: "inspector",
  python: "dap",
  ruby: undefined,
  java: "jdwp",
};

/** Where debuggers of each kind look first. */
export const usualPorts: Readonly<Record<DebugProtocol, number>> = { inspector: 9229, jdwp: 5005, dap: 5678 };

/** Sandboxes have loopback devices of their own; plain processes share the host's. */
export function portInside(protocol: DebugProtocol, isolated: boolean): Promise<number> {
  if (isolated) return Promise.resolve(usualPorts[protocol]);
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** An invocation may be looked at for so long. */
const debuggedTimeoutMs = 4 * 3_600_000;

/** The function, told to listen for its debugger on `port`. */
export function toDebuggedSpec(
  spec: FunctionSpec,
  protocol: DebugProtocol,
  port: number,
  serial: number,
  isolated: boolean,
): FunctionSpec {
  const debugged = { ...spec, id: `${spec.id} debugged ${serial}`, timeoutMs: debuggedTimeoutMs };
  const append = (name: string, value: string): FunctionSpec => {
    const own = spec.environment[name];
    return {
      ...debugged,
      environment: { ...spec.environment, [name]: own === undefined ? value : `${own} ${value}` },
    };
  };
  switch (protocol) {
    case "inspector":
      // Quiet: what it would print of its address goes into the function's log, and is true inside only.
      return append("NODE_OPTIONS", `--inspect=127.0.0.1:${port} --inspect-publish-uid=http --enable-source-maps`);
    case "jdwp":
      return append(
        "JAVA_TOOL_OPTIONS",
        `-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,quiet=y,address=127.0.0.1:${port}`,
      );
    case "dap": {
      // Read by our runtime before it knows its function, so that a debugger is there before the code.
      const layers = isolated ? "/opt" : spec.layersDir;
      const places = [isolated ? "/var/task" : spec.codeDir, ...(layers === undefined ? [] : [`${layers}/python`])];
      return append("PYTHON_DEBUGPY_LISTEN", [port, ...places].join(":"));
    }
  }
}
