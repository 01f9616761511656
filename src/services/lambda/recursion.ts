import { createHash } from "node:crypto";
import type { Ids } from "../../kernel/ids.ts";
import { recursiveInvocation } from "./errors.ts";
import { lambdaLimits } from "./limits.ts";

/**
 * The trace header that a function is given. Its `Lineage` counts how often each function has been invoked in this chain of
 * events; AWS SDKs inside functions send it along with what they call. Source: developer guide, "Use Lambda recursive loop
 * detection"; the form is AWS's (`Lineage=1:<hash of the function>:<count>`), as functions on AWS find it in their variables.
 */
export interface Tracing {
  /**
   * @param traceId the caller's `X-Amzn-Trace-Id`
   * @param hash `lineageHash` of the function
   * Throws RecursiveInvocationException.
   */
  follow(traceId: string | undefined, hash: string, loops: "Allow" | "Terminate", now: number): string;
}

export function createTracing(ids: Ids): Tracing {
  // Unique without asking for random bytes each time: these ids are no secrets.
  const origin = Buffer.from(ids.bytes(8)).toString("hex");
  let count = 0;
  return {
    follow(traceId, hash, loops, now) {
      if (traceId === undefined || traceId === "") {
        count += 1;
        const serial = count.toString(16).padStart(8, "0");
        const seconds = Math.floor(now / 1000).toString(16);
        return `Root=1-${seconds}-${origin}${serial};Parent=${origin.slice(0, 8)}${serial};Sampled=0;Lineage=1:${hash}:0`;
      }
      return withLineage(traceId, hash, loops);
    },
  };
}

export function lineageHash(functionArn: string): string {
  return createHash("sha256").update(functionArn).digest("hex").slice(0, 8);
}

const field = "Lineage=";

/** The same header, with this invocation counted. */
function withLineage(traceId: string, hash: string, loops: "Allow" | "Terminate"): string {
  if (!traceId.includes(field)) return `${traceId};${field}1:${hash}:0`;
  const parts = traceId.split(";");
  const at = parts.findIndex((part) => part.trimStart().startsWith(field));
  if (at === -1) return `${traceId};${field}1:${hash}:0`;
  const entries = (parts[at] ?? "").trim().slice(field.length).split("|");
  const own = entries.findIndex((entry) => hashOf(entry) === hash);
  if (own === -1) entries.unshift(`1:${hash}:0`);
  else {
    const invocations = countOf(entries[own] ?? "") + 1;
    if (loops === "Terminate" && invocations >= lambdaLimits.recursiveInvocationsMax) throw recursiveInvocation();
    entries[own] = `1:${hash}:${invocations}`;
  }
  parts[at] = `${field}${entries.slice(0, lambdaLimits.lineageFunctionsMax).join("|")}`;
  return parts.join(";");
}

/** Older SDKs and services write an entry without the leading `1:`. */
function hashOf(entry: string): string | undefined {
  return entry.split(":").at(-2);
}

function countOf(entry: string): number {
  const count = Number(entry.split(":").at(-1));
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}
