import { AshlarError } from "@ashlar/base";
import { rootedPath } from "./file-record.ts";
import { MAX_PATH_BYTES } from "./snapshot.ts";

/** A line of sha256sum(1): the digest, two spaces, the path. */
export type DigestLine = { readonly path: string; readonly digest: string };

const NEWLINE = 0x0a;
const DIGEST_LETTERS = 64;
/** Every byte can take two. */
const MAX_LINE_BYTES: number = 2 * MAX_PATH_BYTES + DIGEST_LETTERS + 4;

/** @throws AshlarError `malformed` */
export function endOfLine(bytes: Buffer, start: number): number {
  const end = bytes.indexOf(NEWLINE, start);
  if (end !== -1 && end - start <= MAX_LINE_BYTES) return end + 1;
  throw new AshlarError("malformed", `expected a line that ends at byte ${start}`);
}

/**
 * A name with a newline, a backslash or a carriage return has them as `\n`, `\\` and `\r`, and a backslash before the line.
 *
 * @throws AshlarError `malformed`
 */
export function readDigestLine(piece: Buffer, at: number): DigestLine {
  const isEscaped = piece[0] === BACKSLASH;
  const line = piece.subarray(isEscaped ? 1 : 0, -1);
  const digest = line.toString("latin1", 0, DIGEST_LETTERS);
  if (!/^[0-9a-f]{64}$/u.test(digest) || line.toString("latin1", DIGEST_LETTERS, DIGEST_LETTERS + 2) !== "  ") {
    const found = JSON.stringify(line.toString("latin1", 0, 100));
    throw new AshlarError("malformed", `expected a SHA-256 digest and a path, found ${found} at byte ${at}`);
  }
  const name = line.subarray(DIGEST_LETTERS + 2);
  return { digest, path: rootedPath(isEscaped ? unescaped(name) : name) };
}

const BACKSLASH = 0x5c;
const ESCAPES: Readonly<Record<string, string>> = { "\\n": "\n", "\\r": "\r", "\\\\": "\\" };

function unescaped(name: Buffer): Buffer {
  return Buffer.from(
    name.toString("latin1").replaceAll(/\\[nr\\]/gu, (escape) => ESCAPES[escape] ?? escape),
    "latin1",
  );
}
