import { AwsError } from "../aws/error.ts";
import { upperAlphanumeric } from "../kernel/ids.ts";
import { isEncrypted } from "../proxy/client-address.ts";
import type { HttpRequest, HttpResponse } from "../proxy/http-exchange.ts";
import type { Site, SiteAnswer } from "../services/s3/port.ts";
import { createDispatcher } from "../wire/dispatch.ts";
import { type Arrived, createRequestReader } from "./arrived.ts";
import type { AwsApiNeeds } from "./aws-api.ts";
import { tellBrowser } from "./browser-requests.ts";
import type { WebsiteDestination } from "./classify.ts";
import { respond } from "./respond.ts";

export interface WebsiteApiNeeds extends AwsApiNeeds {
  /** Buckets as websites. Absent: there are none. */
  readonly site?: Site;
}

/** Answers requests to buckets as websites. Never rejects. */
type WebsiteApi = (
  destination: WebsiteDestination,
  request: HttpRequest,
  response: HttpResponse,
  signal: AbortSignal,
) => Promise<void>;

/** What a client may ask of an object, in headers. */
const askedHeaders = new Set(["if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "range"]);

/**
 * In the path form all sites share a host with each other and with the platform's own pages: each is an origin of its own
 * to the browser, so that none can act as whoever has signed in at another.
 */
const sandboxed = "sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts";

/** Objects are read by S3's own operations, as anybody: what they refuse is refused. */
export function createWebsiteApi(needs: WebsiteApiNeeds): WebsiteApi {
  const dispatcher = createDispatcher(needs);
  const readRequest = createRequestReader();

  return async (destination, request, response, signal) => {
    const { bucket, base } = destination;
    const requestId = needs.ids.random(16, upperAlphanumeric);
    // Nothing that is sent is read: what comes next on the connection comes after it.
    request.resume();
    try {
      const arrived = readRequest({ kind: "aws", serviceLabel: "s3", region: undefined, bucket: undefined }, request);
      const [path = "", ...query] = destination.target.split("?");
      const answer = await answerSite(arrived, path, query.length > 0 ? `?${query.join("?")}` : "");
      const headers = { ...answer.headers, ...(base !== "" && { "content-security-policy": sandboxed }) };
      await respond(request, response, { ...answer, headers }, "s3", requestId);
    } catch (error) {
      const gone = signal.aborted || response.destroyed;
      if (!gone) needs.log.error("A request to a website failed", { requestId, bucket, error });
      if (response.headersSent || gone) response.destroy();
      else response.writeHead(500, { "content-length": "0" }).end();
    }

    async function answerSite(arrived: Arrived, path: string, query: string): Promise<SiteAnswer> {
      const { site, crossOrigin } = needs;
      const { facts } = arrived;
      if (!site) return { status: 404, headers: {}, body: "" };
      // Links of pages are relative to it.
      if (path === "") return { status: 302, headers: { location: `${base}/${query}` }, body: "" };
      const inBucket = { ...facts, path: `/${bucket}${path}` };
      if (facts.method === "OPTIONS" && crossOrigin && facts.headers["origin"] !== undefined) {
        return await preflight(() => crossOrigin.preflight(inBucket.path, facts.headers));
      }
      await tellBrowser(crossOrigin, inBucket, (name, value) => void response.setHeader(name, value));
      const operation = facts.method === "HEAD" ? "HeadObject" : "GetObject";
      return await site({
        bucket,
        region: destination.region,
        method: facts.method,
        path,
        query,
        address: {
          protocol: isEncrypted(request) ? "https" : "http",
          host: facts.headers["host"] ?? "localhost",
          base,
        },
        requestId,
        read: (key, asked) => readObject(arrived, operation, key, asked),
        peek: (key) => readObject(arrived, "HeadObject", key, false),
      });
    }

    async function preflight(ask: () => Promise<Readonly<Record<string, string>>>): Promise<SiteAnswer> {
      try {
        return { status: 200, headers: await ask(), body: "" };
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        const loaded = await needs.models.load("s3");
        return loaded.protocol("rest-xml").encodeError(error, requestId);
      }
    }

    async function readObject(arrived: Arrived, name: string, key: string, asked: boolean): Promise<SiteAnswer> {
      const loaded = await needs.models.load("s3");
      const protocol = loaded.protocol("rest-xml");
      const operation = loaded.model.operations.get(name);
      if (!operation) throw new Error(`S3 has no ${name}`);
      const all = Object.entries(arrived.facts.headers);
      const wire = {
        method: operation.method,
        path: `/${bucket}/${key.split("/").map(encodeURIComponent).join("/")}`,
        query: "",
        headers: asked ? Object.fromEntries(all.filter(([header]) => askedHeaders.has(header))) : {},
        body: new Uint8Array(),
      };
      const headers: Record<string, string> = {};
      let status: number | undefined;
      const output = await dispatcher.run(loaded.model, operation, protocol.parse(operation, wire), {
        requestId,
        principal: { type: "anonymous" },
        account: needs.account,
        region: destination.region ?? needs.region,
        now: needs.clock.now(),
        endpoint: arrived.endpoint,
        http: arrived.http,
        signal,
        setHeader: (header, value) => {
          headers[header.toLowerCase()] = value;
        },
        setStatus: (code) => {
          status = code;
        },
      });
      const answer = protocol.encode(operation, output, requestId);
      return { ...answer, headers: { ...answer.headers, ...headers }, ...(status !== undefined && { status }) };
    }
  };
}
