import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { digestOfStoredAnswer, EvidenceArchive } from "@ashlar/verifier";

const FILE = join(tmpdir(), `ashlar-fuzz-${process.pid}.tar`);

/** What every node in an archive has, as far as it can be read. */
export function readEvidenceArchive(bytes: Uint8Array): unknown {
  writeFileSync(FILE, bytes);
  using archive = EvidenceArchive.open(FILE);
  return [...archive.index.nodes.keys()].map((name) => {
    try {
      return digestOfStoredAnswer(archive, name);
    } catch (error) {
      if (error instanceof AshlarError) return error.code;
      throw error;
    }
  });
}
