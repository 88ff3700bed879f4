/**
 * An expected failure: something outside Ashlar (a file, an argument, a machine) was not as it has to be.
 * Anything else that is thrown is a bug and keeps its stack trace.
 */
export class AshlarError extends Error {
  override readonly name = "AshlarError";
  readonly code: ErrorCode;
  /** What the reader can do about it: one sentence. */
  readonly hint: string | undefined;

  /** `message` says what was expected, what was found, and where. */
  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}

/**
 * - `usage`: the command line is wrong.
 * - `malformed`: outside bytes do not follow their format.
 * - `limit`: outside bytes are larger, deeper or more numerous than accepted.
 * - `invalid`: well-formed input that says something that cannot be.
 * - `not-found`: a named file, node or version does not exist.
 * - `conflict`: something exists already, or is in use.
 * - `untrusted`: a signature, certificate, digest or measurement does not hold.
 * - `unavailable`: a machine or server did not answer in time.
 * - `failed`: a program that we run failed.
 * - `missing-tool`: the host lacks a program.
 * - `privilege`: the user may not do that here.
 * - `interrupted`: the user stopped it.
 */
export type ErrorCode =
  | "usage"
  | "malformed"
  | "limit"
  | "invalid"
  | "not-found"
  | "conflict"
  | "untrusted"
  | "unavailable"
  | "failed"
  | "missing-tool"
  | "privilege"
  | "interrupted";

/** The message of anything thrown, for use inside another message. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
