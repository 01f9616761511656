import type { Readable } from "node:stream";
import type { FormVerifier } from "../../access/verify-form.ts";
import type { Principal } from "../../aws/principal.ts";

/** A form that a browser posts to a bucket. */
export interface PostedForm {
  readonly bucket: string;
  readonly contentType: string;
  /** What is not wanted of it flows away: the connection's next request comes after it. */
  readonly body: Readable;
  /** Who has signed the policy. */
  readonly verify: (form: Parameters<FormVerifier>[0]) => ReturnType<FormVerifier>;
  /** `http://host:port` */
  readonly endpoint: string;
  readonly now: number;
}

/** What PutObject is to be asked for a form, and by whom. */
export interface PostedObject {
  readonly principal: Principal;
  readonly region: string | undefined;
  readonly input: Record<string, unknown>;
  /** @param etag as PutObject answers it, in its quotes */
  answer(etag: string): {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
}

/** Reads a form and checks it against its policy. Rejects with what S3 answers to a form that it does not take. */
export type PostObject = (form: PostedForm) => Promise<PostedObject>;

/** What S3 answers browsers whose pages are of other origins than the bucket. */
export interface CrossOrigin {
  /**
   * Headers of the answer to a request of a page, by the bucket's configuration; undefined when it allows none.
   *
   * @param path percent-encoded, with the bucket first
   */
  headersFor(
    path: string,
    request: { readonly origin: string; readonly method: string },
  ): Promise<Readonly<Record<string, string>> | undefined>;
  /**
   * Headers of the answer to a preflight request.
   *
   * @param headers lower-case names
   * @throws {AwsError} AccessForbidden when the configuration does not allow what the page asks for, BadRequest.
   */
  preflight(path: string, headers: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>>;
}

/** A request to a bucket's website endpoint. */
export interface SiteRequest {
  readonly bucket: string;
  /** That the endpoint names; undefined where it names none. */
  readonly region: string | undefined;
  readonly method: string;
  /** Percent-encoded, without the query. */
  readonly path: string;
  /** With the `?`; empty where there is none. */
  readonly query: string;
  /** Where the client believes to be. `base` stands in front of every path: empty, but for the path form of the address. */
  readonly address: { readonly protocol: "http" | "https"; readonly host: string; readonly base: string };
  readonly requestId: string;
  /**
   * What S3 answers to an anonymous GetObject (HeadObject for HEAD) of the key. Rejects with what it refuses it with.
   *
   * @param asked with the conditions and the range that the client asks for
   */
  read(key: string, asked: boolean): Promise<SiteAnswer>;
  /** Rejects as `read`, and opens nothing. */
  peek(key: string): Promise<unknown>;
}

export interface SiteAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string | AsyncIterable<Uint8Array>;
}

/** Answers as a website endpoint does, errors included. */
export type Site = (request: SiteRequest) => Promise<SiteAnswer>;
