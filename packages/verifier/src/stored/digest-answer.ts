import { hash } from "node:crypto";
import { MAX_LOG_BYTES } from "@ashlar/protocol";
import type { StoredAnswer } from "./answer.ts";
import { NODE_FILES } from "./layout.ts";
import { filesOfNode, type EvidencePlace } from "./place.ts";
import { filesOf } from "./write-answer.ts";

/**
 * The digest of a node's evidence: SHA-256 of what `sha256sum` prints for its files, in the order of their names (LC_ALL=C):
 *
 *     (cd out/evidence/node-1 && sha256sum -- * | sha256sum)
 */
export function digestOfAnswer(answer: StoredAnswer): string {
  return digestOfFiles(filesOf(answer));
}

/** The same of the files that are stored of a node; undefined when there are none. @throws AshlarError */
export function digestOfStoredAnswer(place: EvidencePlace, name: string): string | undefined {
  const readFile = filesOfNode(place, name)?.readFile;
  const files = new Map<string, Uint8Array>();
  for (const file of NODE_FILES) {
    const bytes = readFile?.(file, MAX_LOG_BYTES);
    if (bytes !== undefined) files.set(file, bytes);
  }
  return files.size === 0 ? undefined : digestOfFiles(files);
}

export function digestOfFiles(files: ReadonlyMap<string, Uint8Array | string>): string {
  const lines = [...files]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, bytes]) => `${hash("sha256", bytes)}  ${name}\n`);
  return hash("sha256", lines.join(""));
}
