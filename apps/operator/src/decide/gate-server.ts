import { AshlarError } from "@ashlar/base";
import type { SourceObject } from "@ashlar/kube";

/** Whom a gate asks. Whoever writes Rollouts names a Secret, and so cannot send its token elsewhere. */
export type GateServer = { readonly url: URL; readonly token: string | undefined; readonly ca: string | undefined };

/**
 * @param secret of the operator's namespace; undefined when there is none of this name
 * @throws AshlarError `not-found`, `invalid`; nothing of the Secret's entries is in a message
 */
export function gateServerOf(name: string, secret: Pick<SourceObject, "entries"> | undefined): GateServer {
  if (secret === undefined) {
    throw new AshlarError("not-found", `expected the Secret ${name} in the operator's namespace, found none`);
  }
  const text = (key: string): string | undefined => {
    const bytes = secret.entries.get(key);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes).trim();
  };
  const url = URL.parse(text("url") ?? "");
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  if (url === null || !isHttp || url.username !== "" || url.password !== "") {
    const expected = "an http(s) URL without a password in its entry url";
    throw new AshlarError("invalid", `the Secret ${name}: expected ${expected}, found something else`);
  }
  const token = text("token");
  if (token !== undefined && !/^[\x21-\x7e]{1,8192}$/u.test(token)) {
    throw new AshlarError("invalid", `the Secret ${name}: expected one word in its entry token, found something else`);
  }
  return { url, token, ca: text("ca.crt") };
}
