/** Part of a file; `end` is the first byte that does not belong to it. */
export type ByteRange = { readonly start: number; readonly end: number };

/** Reads a repository's files. What comes from it is unchecked. */
export type Transport = {
  /** For messages. */
  readonly url: string;
  readonly patience: Patience;
  /**
   * Begins to read a file, or a part of it.
   *
   * @param path relative to the repository, for example `metadata/timestamp.json`
   * @throws AshlarError `not-found`; `unavailable`, which another try may mend; `malformed` when the server does not keep
   *   to HTTP; the same from the body
   */
  readonly open: (path: string, options: { range?: ByteRange; signal?: AbortSignal | undefined }) => Promise<Answer>;
};

export type Answer = {
  /** The whole file, although a part was asked for: the server knows no ranges. */
  readonly isWhole: boolean;
  /** Must be read to its end, or left by `break`. */
  readonly body: AsyncIterable<Uint8Array>;
};

export type Patience = {
  /** How long a server may be silent. In this time at least one byte per millisecond must come on average. */
  readonly stallMs: number;
  /** How often the same thing is tried before it counts as failed. */
  readonly attempts: number;
  /** Before the second attempt; doubled before each further one. */
  readonly retryDelayMs: number;
};
