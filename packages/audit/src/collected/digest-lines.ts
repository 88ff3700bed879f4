import { AshlarError } from "@ashlar/base";

const DIGEST_LETTERS = 64;
/** The digest, two spaces, the path; a backslash before a line in which the path is escaped. */
const LINE = /^\\?[0-9a-f]{64} {2}./su;

/**
 * Lines of sha256sum(1), as digests by path. A name with a newline, a backslash or a carriage return has them as `\n`, `\\` and `\r`.
 *
 * @param text with a character for each byte
 * @throws AshlarError `malformed`
 */
export function readDigestLines(text: string, digests: Map<string, string>): void {
  for (const line of text.split("\n")) {
    if (line === "") continue;
    if (!LINE.test(line))
      throw new AshlarError(
        "malformed",
        `expected a SHA-256 digest and a path, found ${JSON.stringify(line.slice(0, 100))}`,
      );
    const isEscaped = line.startsWith("\\");
    const start = isEscaped ? 1 : 0;
    const path = line.slice(start + DIGEST_LETTERS + 2);
    digests.set(isEscaped ? unescaped(path) : path, line.slice(start, start + DIGEST_LETTERS));
  }
}

const ESCAPES: Readonly<Record<string, string>> = { "\\n": "\n", "\\r": "\r", "\\\\": "\\" };

export function unescaped(name: string): string {
  return name.replaceAll(/\\[nr\\]/gu, (escape) => ESCAPES[escape] ?? escape);
}
