import { AshlarError } from "@ashlar/base";
import { createFileTransport } from "./file-transport.ts";
import { createHttpTransport } from "./http-transport.ts";
import type { Patience, Transport } from "./transport.ts";

const PATIENCE: Patience = { stallMs: 30_000, attempts: 6, retryDelayMs: 500 };

/**
 * User and password of a URL are taken out of it first: what a transport says of itself, in messages that others can read,
 * never has them.
 *
 * @param redirectsTo origins beside the repository's own that it may send us to
 * @throws AshlarError `usage` for a URL that is neither `http`, `https` nor `file`
 */
export function createTransport(
  url: string,
  patience: Partial<Patience> = {},
  redirectsTo: readonly string[] = [],
): Transport {
  const base = URL.parse(url);
  const credentials = base === null ? undefined : takeCredentials(base);
  const settings = { ...PATIENCE, ...patience };
  if (base?.protocol === "file:") return createFileTransport(base, settings);
  if (base?.protocol === "http:" || base?.protocol === "https:") {
    return createHttpTransport(base, settings, { credentials, redirectsTo });
  }
  // What stands before an @ may be a password, in whatever this is.
  const found = url.replace(/^.*@/su, "...@").slice(0, MAX_SHOWN_CHARACTERS);
  throw new AshlarError("usage", `repository: expected a URL, found ${found}`, {
    hint: "give one that begins with https://, http:// or file://",
  });
}

const MAX_SHOWN_CHARACTERS = 200;

/** `user:password`, for HTTP's basic authentication (RFC 7617); the URL is then a directory's, without them. */
function takeCredentials(base: URL): string | undefined {
  const { username, password } = base;
  base.username = "";
  base.password = "";
  base.search = "";
  base.hash = "";
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  if (username === "" && password === "") return undefined;
  try {
    return `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  } catch {
    throw new AshlarError("usage", "repository: expected user and password with their percent signs as %25");
  }
}
