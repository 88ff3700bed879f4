import type { ErrorCode } from "@ashlar/base";

/** A request that is answered with an error: its status and the JSON `{error: {code, message, hint}}`. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly code: RefusalCode;
  /** What whoever asked can do about it. */
  readonly hint: string | undefined;
  /** Seconds, for `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;
  /** Further response headers. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: RefusalCode,
    message: string,
    options: { hint?: string; retryAfterSeconds?: number; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = options.hint;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.headers = options.headers ?? {};
  }
}

/** Codes of Ashlar's errors where one fits, and those that only a server has. */
export type RefusalCode = ErrorCode | "method-not-allowed" | "rate-limited" | "busy" | "forbidden";
