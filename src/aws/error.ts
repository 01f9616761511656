/** An answer AWS would give: a modelled or common error. Everything else that is thrown is a bug and answers a bare 500. */
export class AwsError extends Error {
  /** The error's shape name, as the client matches it: `ResourceNotFoundException`, `NoSuchKey`, `AccessDenied` … */
  readonly code: string;
  readonly status: number;
  /** Who is at fault, told to query and XML clients as `<Type>`. */
  readonly fault: "client" | "server";
  /** Further members of the error's shape, as `{ Type: "User" }` or `{ BucketName: "b" }`. */
  readonly members: Readonly<Record<string, unknown>>;
  /** Further response headers. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: string,
    status: number,
    message: string,
    more: {
      readonly members?: Readonly<Record<string, unknown>>;
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ) {
    super(message);
    this.name = "AwsError";
    this.code = code;
    this.status = status;
    this.fault = status >= 500 ? "server" : "client";
    this.members = more.members ?? {};
    this.headers = more.headers ?? {};
  }
}

/** 501: an operation, property or type that is not built, named. Never a stub that succeeds. */
export function notImplemented(what: string): AwsError {
  return new AwsError("NotImplemented", 501, `${what} is not implemented by Cumulet`);
}
