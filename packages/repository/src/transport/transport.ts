import { AshlarError } from "@ashlar/base";
import { createFileTransport } from "./file-transport.ts";
import { createHttpTransport } from "./http-transport.ts";

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

const PATIENCE: Patience = { stallMs: 30_000, attempts: 6, retryDelayMs: 500 };

/** @throws AshlarError `usage` for a URL that is neither `http`, `https` nor `file` */
export function createTransport(url: string, patience: Partial<Patience> = {}): Transport {
  const base = URL.parse(url.endsWith("/") ? url : `${url}/`);
  const settings = { ...PATIENCE, ...patience };
  if (base?.protocol === "file:") return createFileTransport(base, settings);
  if (base?.protocol === "http:" || base?.protocol === "https:") return createHttpTransport(base, settings);
  throw new AshlarError("usage", `repository: expected a URL, found ${url.slice(0, 200)}`, {
    hint: "give one that begins with https://, http:// or file://",
  });
}
