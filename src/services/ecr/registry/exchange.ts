import type { HttpRequest, HttpResponse } from "../../../proxy/http-exchange.ts";
import type { Place } from "../model.ts";
import { ecrLimits } from "../limits.ts";
import { RegistryError } from "./answers.ts";

/** One authenticated request to a repository. */
export interface RegistryExchange {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly method: string;
  readonly query: URLSearchParams;
  readonly place: Place;
  readonly name: string;
  readonly now: number;
  /** Whether the client may do this to the repository, or to another one. Throws the denial. */
  authorize(action: string, name?: string): Promise<void>;
}

/** The body as it comes. Throws when the client goes, or sends nothing for too long. */
export async function* bodyOf(request: HttpRequest): AsyncIterable<Uint8Array> {
  const timer = setTimeout(() => request.destroy(), ecrLimits.bodyIdleMs);
  timer.unref();
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      if (!(chunk instanceof Uint8Array)) continue;
      timer.refresh();
      yield chunk;
      timer.refresh();
    }
  } catch {
    throw new RegistryError("BLOB_UPLOAD_INVALID", 400, "The request's body ended early");
  } finally {
    clearTimeout(timer);
  }
  if (!request.complete) throw new RegistryError("BLOB_UPLOAD_INVALID", 400, "The request's body ended early");
}

export async function wholeBody(request: HttpRequest, bytesMax: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of bodyOf(request)) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new RegistryError("SIZE_INVALID", 413, `The body is larger than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function unsupported(method: string): RegistryError {
  return new RegistryError("UNSUPPORTED", 405, `The operation ${method} is unsupported here`);
}
