import { createHash } from "node:crypto";
import { AshlarError } from "@ashlar/base";

/**
 * One digest over files and their names: Go's "Hash1" (golang.org/x/mod/sumdb/dirhash), in hexadecimal, which in-toto calls
 * `dirHash`. Modes and owners do not count.
 *
 * @param files relative names, with slashes, and the SHA-256 of what is in them
 * @throws AshlarError `invalid` for a name with a line feed
 */
export function directoryHash(files: readonly { readonly name: string; readonly sha256: string }[]): string {
  const lines = files
    .toSorted((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
    .map(({ name, sha256 }) => {
      if (name.includes("\n")) throw new AshlarError("invalid", `expected no line feed in ${JSON.stringify(name)}`);
      return `${sha256}  ${name}\n`;
    });
  return createHash("sha256").update(lines.join("")).digest("hex");
}
