import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { digestFile } from "./digest-file.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-digest-"));
after(() => rmSync(directory, { recursive: true }));

test("size and digest of a file, by either algorithm", async () => {
  const path = join(directory, "file");
  // Several pieces of a stream.
  for (const content of [Buffer.alloc(0), Buffer.from("one"), Buffer.alloc(300_000, "ab")]) {
    writeFileSync(path, content);
    for (const algorithm of ["sha256", "sha512"] as const) {
      const digest = createHash(algorithm).update(content).digest("hex");
      assert.deepEqual(await digestFile(path, { algorithm }), { sizeBytes: content.length, digest });
    }
    assert.equal((await digestFile(path)).digest, createHash("sha256").update(content).digest("hex"));
  }
});

test("no file, what cannot be read as one, and an interruption are told apart", async () => {
  await assert.rejects(digestFile(join(directory, "nowhere")), { code: "not-found", message: /nowhere: ENOENT$/u });
  await assert.rejects(digestFile(directory), { code: "failed", message: /EISDIR$/u });
  const path = join(directory, "interrupted");
  writeFileSync(path, Buffer.alloc(1_000_000));
  await assert.rejects(digestFile(path, { signal: AbortSignal.abort() }), { code: "interrupted" });
});
