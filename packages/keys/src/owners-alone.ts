import { AshlarError } from "@ashlar/base";

/** @throws AshlarError `untrusted` for a private key's file that others can read or write */
export function requireOwnersAlone(path: string, mode: number): void {
  if ((mode & 0o077) === 0) return;
  throw new AshlarError("untrusted", `${path} can be read by others: mode ${(mode & 0o777).toString(8)}`, {
    hint: `chmod 600 ${path}`,
  });
}
