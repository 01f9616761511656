import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { LambdaClient, UpdateFunctionCodeCommand } from "@aws-sdk/client-lambda";
import type { Connection } from "./connection.ts";
import type { DevFunction } from "./dev-app.ts";
import { createDevPackage, type DevPackage } from "./dev-package.ts";
import { signedPost } from "./signed-get.ts";

/** Replaces the code of single functions in the running platform. */
export interface Swapper {
  /** What the functions' packages are now has been deployed. */
  deployed(functions: readonly DevFunction[]): Promise<void>;
  /** Bring a function's code up to date and initialise an environment of it; undefined when its package is as it was. */
  swap(fn: DevFunction, functionName: string, changed?: ReadonlySet<string>): Promise<Swapped | undefined>;
  /** Nobody knows what code the functions have: the next swap replaces it in any case. */
  forget(): void;
}

export interface Swapped {
  readonly ms: number;
  /** Why the new code cannot be loaded. */
  readonly failure?: string;
}

const conflictsMax = 100;
const conflictPauseMs = 50;

export async function createSwapper(connection: Connection): Promise<Swapper> {
  const sdk = await import("@aws-sdk/client-lambda");
  const lambda = new sdk.LambdaClient(connection);
  const packages = new Map<string, DevPackage>();
  const hashes = new Map<string, string>();

  const packageOf = ({ path }: DevFunction): DevPackage => {
    let found = packages.get(path);
    if (found === undefined) packages.set(path, (found = createDevPackage(path)));
    return found;
  };

  return {
    async deployed(functions) {
      for (const fn of functions) {
        const zip = await packageOf(fn)
          .zip()
          .catch(() => undefined);
        if (zip !== undefined) hashes.set(fn.logicalId, hashOf(zip));
      }
    },
    async swap(fn, functionName, changed) {
      const startedAt = performance.now();
      const zip = await packageOf(fn).zip(changed);
      const hash = hashOf(zip);
      if (hashes.get(fn.logicalId) === hash) return undefined;
      await sendPatiently(lambda, new sdk.UpdateFunctionCodeCommand({ FunctionName: functionName, ZipFile: zip }));
      hashes.set(fn.logicalId, hash);
      const ms = performance.now() - startedAt;
      const failure = await warm(connection, functionName);
      return { ms, ...(failure !== undefined && { failure }) };
    },
    forget: () => hashes.clear(),
  };
}

/** AWS refuses an update while another one is under way. */
async function sendPatiently(lambda: LambdaClient, command: UpdateFunctionCodeCommand): Promise<void> {
  for (let conflicts = 0; ; conflicts += 1) {
    try {
      await lambda.send(command);
      return;
    } catch (error) {
      const isConflict = error instanceof Error && error.name === "ResourceConflictException";
      if (!isConflict || conflicts >= conflictsMax) throw error;
      await delay(conflictPauseMs);
    }
  }
}

/** @returns why the function cannot be loaded */
async function warm(connection: Connection, functionName: string): Promise<string | undefined> {
  const outcome = await signedPost(connection, "/_cumulet/developer/warm", { function: functionName });
  if (typeof outcome !== "object" || outcome === null || !("errorMessage" in outcome)) return undefined;
  return "errorType" in outcome
    ? `${String(outcome.errorType)}: ${String(outcome.errorMessage)}`
    : String(outcome.errorMessage);
}

const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
