import { AshlarError } from "@ashlar/base";
import { readNamedFile } from "@ashlar/host";
import { parseAddress, parseToken } from "./watch-options.ts";

export type Listen = { readonly host: string; readonly port: number; readonly token: string | undefined };

/** Where to answer, and to whom: where others can connect, only to those who have the token. @throws AshlarError `usage`, `invalid`, `not-found` */
export async function readListen(address: string, tokenFile: string | undefined): Promise<Listen> {
  const { host, port, isOwn } = parseAddress(address);
  if (!isOwn && tokenFile === undefined) {
    throw new AshlarError("usage", `expected --token-file with --listen ${address}, which others can reach`, {
      hint: "openssl rand -hex 24 > token; or listen on 127.0.0.1",
    });
  }
  if (tokenFile === undefined) return { host, port, token: undefined };
  const text = (await readNamedFile(tokenFile, "a token")).toString("utf8");
  return { host, port, token: parseToken(text, tokenFile) };
}
