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
