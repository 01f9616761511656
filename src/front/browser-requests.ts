import type { Readable } from "node:stream";
import type { ReadRequest } from "../access/verifier.ts";
import type { FormVerifier } from "../access/verify-form.ts";
import type { Clock } from "../kernel/clock.ts";
import type { CrossOrigin, PostObject } from "../services/s3/port.ts";
import type { Dispatcher } from "../wire/dispatch.ts";
import type { ServiceModel } from "../wire/model.ts";
import type { WireResponse } from "../wire/protocols/protocol.ts";
import type { HttpFacts } from "../wire/service.ts";
import type { AwsDestination } from "./classify.ts";
import type { RequestFacts } from "./detect.ts";

export interface BrowserNeeds {
  /** What S3 tells browsers. Absent: nothing. */
  readonly crossOrigin?: CrossOrigin;
  /** Forms that browsers post to buckets. Absent: none are taken. */
  readonly forms?: { readonly verify: FormVerifier; readonly post: PostObject };
}

/** What only browsers ask, and only of S3: no operation of its model. */
type BrowserRequest =
  | { readonly kind: "preflight"; readonly crossOrigin: CrossOrigin }
  | { readonly kind: "form"; readonly forms: NonNullable<BrowserNeeds["forms"]> };

/** Undefined for all other requests. */
export function browserRequestOf(
  { crossOrigin, forms }: BrowserNeeds,
  { serviceLabel = "s3" }: AwsDestination,
  { method, path, headers }: RequestFacts,
): BrowserRequest | undefined {
  if (method !== "OPTIONS" && method !== "POST") return undefined;
  if (serviceLabel !== "s3") return undefined;
  if (method === "OPTIONS") return crossOrigin && { kind: "preflight", crossOrigin };
  const isForm = /^multipart\/form-data\b/i.test(headers["content-type"] ?? "") && bucketPath.test(path);
  return isForm && forms ? { kind: "form", forms } : undefined;
}

const bucketPath = /^\/[a-z0-9.-]{3,63}\/?$/;

interface AskedOf {
  readonly facts: RequestFacts;
  readonly http: HttpFacts;
  readonly endpoint: string;
  readonly headerValues: ReadRequest["headers"];
  readonly target: string;
  readonly sourceIp: string;
  readonly account: string;
  readonly region: string;
  readonly requestId: string;
  readonly signal: AbortSignal;
  readonly body: () => Readable;
  readonly setHeader: (name: string, value: string) => void;
}

export async function answerBrowser(
  request: BrowserRequest,
  needs: BrowserNeeds & { readonly dispatcher: Dispatcher; readonly model: ServiceModel; readonly clock: Clock },
  of: AskedOf,
): Promise<WireResponse> {
  const { facts } = of;
  if (request.kind === "preflight") {
    const headers = await request.crossOrigin.preflight(facts.path, facts.headers);
    return { status: 200, headers: { ...headers }, body: "" };
  }
  await tellBrowser(needs.crossOrigin, facts, of.setHeader);
  const now = needs.clock.now();
  const posted = await request.forms.post({
    bucket: facts.path.split("/")[1] ?? "",
    contentType: facts.headers["content-type"] ?? "",
    body: of.body(),
    verify: (form) =>
      request.forms.verify(form, {
        method: "POST",
        target: of.target,
        headers: of.headerValues,
        sourceIp: of.sourceIp,
      }),
    endpoint: of.endpoint,
    now,
  });
  const operation = needs.model.operations.get("PutObject");
  if (!operation) throw new Error("S3 has no PutObject");
  const { principal, region = of.region, input } = posted;
  const account = "account" in principal ? principal.account : of.account;
  const output = await needs.dispatcher.run(needs.model, operation, input, { ...of, principal, account, region, now });
  const { status, headers, body } = posted.answer(String(output["ETag"]));
  return { status, headers: { ...headers }, body };
}

/** Errors, too, are for the page to see where the bucket allows it. */
export async function tellBrowser(
  crossOrigin: CrossOrigin | undefined,
  { path, method, headers }: RequestFacts,
  setHeader: AskedOf["setHeader"],
): Promise<void> {
  const origin = headers["origin"];
  if (crossOrigin === undefined || origin === undefined) return;
  const allowed = await crossOrigin.headersFor(path, { origin, method });
  for (const [name, value] of Object.entries(allowed ?? {})) setHeader(name, value);
}
