import { createHash } from "node:crypto";
import { join } from "node:path";
import { isDirectory, readOptional } from "@ashlar/host";
import { MAX_LOG_BYTES } from "@ashlar/protocol";
import type { StoredAnswer } from "./answer.ts";
import { NODE_FILES } from "./layout.ts";
import { filesOf } from "./write-answer.ts";

/**
 * The digest of a node's evidence: SHA-256 of what `sha256sum` prints for its files, in the order of their names (LC_ALL=C):
 *
 *     (cd out/evidence/node-1 && sha256sum -- * | sha256sum)
 */
export function digestOfAnswer(answer: StoredAnswer): string {
  return digestOfFiles(filesOf(answer));
}

/** The same of the files that a directory of evidence has of a node; undefined when there is none. */
export async function digestOfStoredAnswer(directory: string, name: string): Promise<string | undefined> {
  const place = join(directory, name);
  if (!(await isDirectory(place))) return undefined;
  const files = new Map<string, Uint8Array>();
  for (const file of NODE_FILES) {
    const bytes = await readOptional(join(place, file), MAX_LOG_BYTES);
    if (bytes !== undefined) files.set(file, bytes);
  }
  return files.size === 0 ? undefined : digestOfFiles(files);
}

export function digestOfFiles(files: ReadonlyMap<string, Uint8Array | string>): string {
  const lines = [...files]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, bytes]) => `${createHash("sha256").update(bytes).digest("hex")}  ${name}\n`);
  return createHash("sha256").update(lines.join("")).digest("hex");
}
