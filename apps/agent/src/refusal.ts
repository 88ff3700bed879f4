/** A request that is answered with an error: its status and the JSON `{error: {code, message}}`. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly code: RefusalCode;
  /** Seconds, for `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;
  /** Further response headers. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: RefusalCode,
    message: string,
    options: { retryAfterSeconds?: number; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.headers = options.headers ?? {};
  }
}

/** Codes of Ashlar's errors where one fits, and those that only a server has. */
export type RefusalCode =
  | "malformed"
  | "limit"
  | "not-found"
  | "method-not-allowed"
  | "untrusted"
  | "rate-limited"
  | "busy"
  | "unavailable"
  | "failed";
