import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { RuntimeUnavailableError } from "../compute.ts";
import { startChild } from "./child.ts";
import { memoryPeakMb } from "./memory.ts";
import { runtimeCommand } from "./command.ts";
import type { SandboxDriver } from "./sandbox.ts";
import { createExtensionProcesses, supervisorProgram } from "./supervisor.ts";

/**
 * A program of util-linux: what it becomes is killed when its parent ends. A function that never listens would else stay after
 * `kill -9` of the platform. Where there is none, as on other systems than Linux, it does.
 */
const setpriv = "/usr/bin/setpriv";

/** Plain child processes: work everywhere, isolate nothing. A function can read what this process can read. */
export function createProcessDriver(needs: { readonly runtimesDir: string }): SandboxDriver {
  const diesWithParent = existsSync(setpriv) ? [setpriv, "--pdeathsig", "KILL"] : [];
  return {
    name: "process",
    async start(shape, endpointPort, dedication) {
      const runtime = shape.interpreter.runtime?.folder ?? join(needs.runtimesDir, shape.interpreter.language);
      const command = runtimeCommand(shape, shape.interpreter.executable, runtime);
      const supervisor =
        dedication?.supervised === true ? [...diesWithParent, "perl", "-e", supervisorProgram, "--"] : [];
      const wrapper = dedication?.wrapper === undefined ? [] : [dedication.wrapper];
      const [file = command.file, ...args] = [
        ...supervisor,
        ...diesWithParent,
        ...wrapper,
        command.file,
        ...command.args,
      ];
      const child = startChild(
        {
          file,
          args,
          supervised: dedication?.supervised === true,
          environment: {
            PATH: "/usr/local/bin:/usr/bin:/bin",
            LANG: "en_US.UTF-8",
            TZ: ":UTC",
            ...dedication?.variables,
          },
          cwd: "/",
          handsOver: false,
        },
        killGroup,
      );
      const runtimeApi = createServer({ noDelay: true });
      await new Promise<void>((resolve) => runtimeApi.listen(0, "127.0.0.1", resolve));
      runtimeApi.unref();
      const address = runtimeApi.address() as AddressInfo;
      let peakMb = 0;
      return {
        ...child,
        endpoint: `http://127.0.0.1:${endpointPort}`,
        runtimeApi,
        runtimeApiAddress: `127.0.0.1:${address.port}`,
        ended: child.ended.then((exit) => ({ ...exit, outOfMemory: false })),
        place: (spec) =>
          Promise.resolve({
            task: spec.codeDir,
            layers: spec.layersDir ?? "/opt",
            runtime,
            bin: dirname(shape.interpreter.executable),
          }),
        ...(child.supervision && {
          extensions: createExtensionProcesses(child.supervision.control, child.supervision.output, () => false),
        }),
        terminate: () => void child.process.kill("SIGTERM"),
        connect: (port) => connect({ port, host: "127.0.0.1", noDelay: true }),
        resize: () => {},
        cpuUsedMs: () => undefined,
        memoryUsedMb: () => (peakMb = Math.max(peakMb, memoryPeakMb(child.pid, readFileSync))),
        freeze: () => {},
        thaw: () => {},
        kill: () => killGroup(child.pid),
        dispose: () => {
          runtimeApi.close();
          return Promise.resolve();
        },
      };
    },
    startImage: () =>
      Promise.reject(
        new RuntimeUnavailableError(
          "of container images",
          "Container images run in sandboxes of Linux namespaces only; `cumulet doctor` says what this host lacks for them.",
        ),
      ),
    stop: () => Promise.resolve(),
  };
}

/** The child leads a group of its own; after it has ended, the group may still hold what it started. */
function killGroup(pid: number): void {
  try {
    if (pid > 0) process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody is left in the group.
  }
}
