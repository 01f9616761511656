import type { Duplex, Readable } from "node:stream";
import type { Server } from "node:net";
import type { FunctionSpec, ImageSpec } from "../compute.ts";
import type { RuntimeExit } from "../outcomes.ts";
import type { Places } from "../variables.ts";
import type { ExtensionProcesses } from "./supervisor.ts";

/** An interpreter of this host. */
export interface Interpreter {
  readonly language: "node" | "python" | "java" | "ruby";
  /** `24.21.0`, `3.12.1`. */
  readonly version: string;
  readonly executable: string;
  /** The folder that holds all of it; a sandbox shows it as `/var/lang`, unless it is part of the system (`/usr`). */
  readonly prefix: string;
  /** Of Java: the compiled runtime on this host, and whether there is an archive of its classes. */
  readonly runtime?: { readonly folder: string; readonly archived: boolean };
}

/** What a sandbox must be made for; environments of one shape are interchangeable until code is placed in them. */
export interface SandboxShape {
  readonly interpreter: Interpreter;
  readonly memoryMb: number;
  readonly ephemeralStorageMb: number;
  /** Load what most functions use of the AWS SDK while it waits. */
  readonly preloadsSdk?: boolean;
}

/** A function that needs a process started for it: with its code in place and with variables that its language reads at its start. */
export interface Dedication {
  readonly spec: FunctionSpec;
  readonly variables: Readonly<Record<string, string>>;
  /** A program of the function that is given the runtime's command line (`AWS_LAMBDA_EXEC_WRAPPER`). */
  readonly wrapper: string | undefined;
  /** The function has external extensions: other processes are to be started beside its runtime. */
  readonly supervised?: boolean;
}

/** A container image to run, once its sandbox is there and its channel has had a first byte. */
export interface ImageStart {
  readonly spec: FunctionSpec;
  readonly image: ImageSpec;
  /** Opens the sandbox's listeners from outside. */
  readonly interpreter: Interpreter;
  /** All variables of the image's program. */
  variables(addresses: { readonly endpoint: string; readonly runtimeApi: string }): Readonly<Record<string, string>>;
}

/** Starts sandboxes in which a runtime waits for code. Drivers: `process` (does not isolate), `namespaces`. */
export interface SandboxDriver {
  readonly name: "process" | "namespaces";
  start(shape: SandboxShape, endpointPort: number, dedication?: Dedication): Promise<Sandbox>;
  /**
   * Make ahead what is the same for all sandboxes. Absent where that would save nothing.
   *
   * @param alone with no network but its own loopback, on which nothing answers
   */
  readonly prepare?: (ephemeralStorageMb: number, endpointPort: number, alone?: boolean) => Promise<BareSandbox>;
  /** Start a sandbox for a container image. @throws RuntimeUnavailableError where this driver runs none */
  startImage(start: ImageStart, endpointPort: number): Promise<Sandbox>;
  /** Leave nothing on the host. Every sandbox has ended before. */
  stop(): Promise<void>;
}

/** A sandbox without a runtime: of any language and memory size, without external extensions. One of its two methods is to be called. */
export interface BareSandbox {
  /** Resolves when it has ended, as whatever it has become. */
  readonly ended: Promise<unknown>;
  become(shape: SandboxShape, dedication?: Dedication): Promise<Sandbox>;
  discard(): Promise<void>;
}

export interface Sandbox {
  /** Frames, both ways: the environment's own socket. */
  readonly channel: Duplex;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Whole messages from the bootstrap. */
  readonly messages: Readable;
  /** Where the function finds the platform. */
  readonly endpoint: string;
  /** Listens inside the environment for whatever speaks the Runtime API, at `runtimeApiAddress`; hand `accept` its connections. */
  readonly runtimeApi: Server;
  readonly runtimeApiAddress: string;
  /** Resolves once, when everything in it has ended. */
  readonly ended: Promise<RuntimeExit>;
  /**
   * Make the function's code and layers appear, where they are not there from the start. To be called once.
   *
   * @param compiled a folder to show as `compiledPlace`
   */
  place(spec: FunctionSpec, compiled?: string): Promise<Places>;
  /** Change how much memory it may hold, before its code is placed. What its interpreter was told at its start stays. */
  resize(memoryMb: number): void;
  /** The most memory it has held, in MB, rounded up. */
  memoryUsedMb(): number;
  /** Processor time of all that has run in it, in ms; undefined where the host does not count it. */
  cpuUsedMs(): number | undefined;
  /** Starts external extensions, where its `Dedication` said so. */
  readonly extensions?: ExtensionProcesses;
  /** Ask the runtime to end (SIGTERM). */
  terminate(): void;
  /** A connection to what listens inside, on its loopback. Errors are the stream's; it ends when nobody listens. */
  connect(port: number): Duplex;
  /** Stop giving it the processor, and give it back. */
  freeze(): void;
  thaw(): void;
  /** End everything in it, at once. */
  kill(): void;
  /** After `ended`: give back what the host lent it. */
  dispose(): Promise<void>;
}

/** Where a runtime finds what was compiled of its function before. */
export const compiledPlace = "/var/compiled";
