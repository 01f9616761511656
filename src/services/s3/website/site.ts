import { AwsError } from "../../../aws/error.ts";
import type { Store } from "../../../kernel/store/store.ts";
import { incorrectEndpoint, noSuchBucket, noSuchWebsite } from "../errors.ts";
import { findBucket } from "../model.ts";
import type { Site, SiteAnswer, SiteRequest } from "../port.ts";
import { errorPage } from "./pages.ts";
import { type Address, findRule, toLocation } from "./routing.ts";

/**
 * Answers requests to website endpoints, as nobody in particular: what an anonymous GetObject may read. Source: "Website
 * endpoints" and "Configuring a webpage redirect", S3 User Guide.
 */
export function createSite(store: Store): Site {
  return async (request) => {
    const tell = (error: AwsError, more: AwsError | undefined = undefined): SiteAnswer => ({
      status: error.status,
      headers: {
        ...error.headers,
        "content-type": "text/html; charset=utf-8",
        "x-amz-error-code": error.code,
        "x-amz-error-message": error.message,
      },
      body: errorPage(error.status, error, request.requestId, more),
    });
    try {
      return await answer(store, request, tell);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return error.status === 304 ? { status: 304, headers: error.headers, body: "" } : tell(error);
    }
  };
}

type Tell = (error: AwsError, ofErrorDocument?: AwsError) => SiteAnswer;

async function answer(store: Store, request: SiteRequest, tell: Tell): Promise<SiteAnswer> {
  const { method, address } = request;
  if (method !== "GET" && method !== "HEAD") throw notAllowed(method);
  const bucket = await store.read((reader) => findBucket(reader, request.bucket));
  if (!bucket) throw noSuchBucket(request.bucket);
  if (request.region !== undefined && request.region !== bucket.region) {
    throw incorrectEndpoint(bucket.name, bucket.region);
  }
  const { website } = bucket;
  if (!website) throw noSuchWebsite(bucket.name);
  const key = toKey(request.path);
  if (website.kind === "redirect") {
    return redirect(301, `${website.protocol ?? address.protocol}://${website.host}${request.path}${request.query}`);
  }
  const early = findRule(website.rules, key, undefined);
  if (early) return redirect(early.to.status ?? 301, toLocation(early, key, address));

  const page = key === "" || key.endsWith("/") ? key + website.index : key;
  const found = await attempt(() => request.read(page, true));
  if (!(found instanceof AwsError)) return answerFound(found, address);
  if (found.status === 304) throw found;
  if ((found.status === 404 || found.status === 403) && page === key) {
    // AWS: of a folder, too, only who may read its index learns that it is one.
    const folder = await attempt(() => request.peek(`${key}/${website.index}`));
    if (!(folder instanceof AwsError)) return tellFolder(tell, `${address.base}${request.path}/`);
  }
  const late = findRule(website.rules, key, found.status);
  if (late) return redirect(late.to.status ?? 301, toLocation(late, key, address));
  if (website.error === undefined || found.status < 400 || found.status >= 500) return tell(found);
  const { error } = website;
  const document = await attempt(() => request.read(error, false));
  if (document instanceof AwsError) return tell(found, document);
  const told = { "x-amz-error-code": found.code, "x-amz-error-message": found.message };
  return { ...document, status: found.status, headers: { ...document.headers, ...told } };
}

function answerFound(found: SiteAnswer, address: Address): SiteAnswer {
  const { "x-amz-website-redirect-location": location, ...headers } = found.headers;
  if (location === undefined) return found;
  dispose(found.body);
  return redirect(301, location.startsWith("/") ? address.base + location : location, headers);
}

/** Whatever was opened and is not wanted: nobody would close it. */
function dispose(body: SiteAnswer["body"]): void {
  if (typeof body === "string" || body instanceof Uint8Array) return;
  void body[Symbol.asyncIterator]().return?.();
}

/** AWS: sends on by another answer than all other redirects, with a page that says it. */
function tellFolder(tell: Tell, location: string): SiteAnswer {
  return tell(new AwsError("Found", 302, "Resource Found", { headers: { location } }));
}

const kept = new Set(["x-amz-version-id"]);

function redirect(status: number, location: string, of: Readonly<Record<string, string>> = {}): SiteAnswer {
  const headers = Object.fromEntries(Object.entries(of).filter(([name]) => kept.has(name)));
  return { status, headers: { ...headers, location, "content-length": "0" }, body: "" };
}

function toKey(path: string): string {
  try {
    return decodeURIComponent(path.slice(1));
  } catch {
    throw new AwsError("InvalidURI", 400, "Couldn't parse the specified URI.", { members: { URI: path } });
  }
}

function notAllowed(method: string): AwsError {
  return new AwsError("MethodNotAllowed", 405, "The specified method is not allowed against this resource.", {
    members: { Method: method, ResourceType: "OBJECT" },
    headers: { allow: "GET, HEAD" },
  });
}

async function attempt<T>(body: () => Promise<T>): Promise<T | AwsError> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof AwsError) return error;
    throw error;
  }
}
