import { createHash, timingSafeEqual } from "node:crypto";

/** What of a request decides whether it is answered. */
export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly authorization: string | undefined;
  /** From the URL. */
  readonly token: string | undefined;
};

export type Refusal = { readonly status: 401 | 403 | 405 | 421; readonly why: string };

/** Script, style and icon hold nothing that anybody keeps to himself; a `<script src>` could not show the token either. */
const OPEN: RegExp = /^\/page\.(?:js|css|svg)$/u;

/**
 * Whether a request is answered. A page of another site that a browser has open must reach nothing here: neither by a name of
 * its own that it lets lead to this address (DNS rebinding), nor as a stranger to the token.
 *
 * @param hosts the values of the Host header that mean this server
 */
export function refuse(asked: Asked, hosts: ReadonlySet<string>, token: string): Refusal | undefined {
  const { method, path, host, origin, authorization } = asked;
  if (!hosts.has(host?.toLowerCase() ?? "")) {
    return { status: 421, why: `expected a request for ${[...hosts].join(" or ")}, found one for another host` };
  }
  if (origin !== undefined && !hosts.has(origin.replace(/^http:\/\//u, "").toLowerCase()))
    return { status: 403, why: "expected a request of the console's own page, found one of another site" };
  if (method !== "GET" && method !== "HEAD") return { status: 405, why: "expected GET or HEAD" };
  if (OPEN.test(path)) return undefined;
  const given =
    authorization === undefined ? asked.token : /^Bearer (?<token>\S+)$/u.exec(authorization)?.groups?.["token"];
  if (given !== undefined && isSameSecret(given, token)) return undefined;
  return { status: 401, why: "expected the token: open the URL that ashlar console has printed" };
}

/** Compares in a time that says nothing of how much of it is right. */
export function isSameSecret(given: string, token: string): boolean {
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
