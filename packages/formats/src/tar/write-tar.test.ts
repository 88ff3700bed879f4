import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { readTar } from "./read-tar.ts";
import { TAR_END, tarEntry } from "./write-tar.ts";

const segment = fc.stringMatching(/^[a-z][a-z0-9._:-]{0,119}$/u);
const file = fc.record({
  path: fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/")),
  content: fc.uint8Array({ maxLength: 2000 }),
  modifiedAt: fc.nat(),
});

test("what is written is read again, whatever the length of its path", () => {
  fc.assert(
    fc.property(fc.array(file, { maxLength: 4 }), (files) => {
      const archive = Buffer.concat([...files.map(tarEntry), TAR_END]);
      assert.equal(archive.length % 512, 0);
      const entries = [...readTar((offset, size) => archive.subarray(offset, offset + size), archive.length)];
      assert.deepEqual(
        entries.map(({ path, offsetBytes, sizeBytes }) => [
          path,
          archive.subarray(offsetBytes, offsetBytes + sizeBytes),
        ]),
        files.map(({ path, content }) => [path, Buffer.from(content)]),
      );
      let end = 0;
      for (const { startBytes, endBytes } of entries) {
        assert.equal(startBytes, end, "entries lie side by side");
        end = endBytes;
      }
      assert.equal(end, archive.length - TAR_END.length);
    }),
    { numRuns: 200 },
  );
});

test("GNU tar reads it: contents, times, hard links", () => {
  const directory = mkdtempSync(join(tmpdir(), "ashlar-tar-"));
  try {
    const long = `${"a".repeat(90)}/${"b".repeat(90)}/${"c".repeat(120)}`;
    const entries = [
      { path: "one", content: Buffer.from("text"), modifiedAt: 1_700_000_000 },
      { path: "two", content: { sameAs: "one" }, modifiedAt: 1_700_000_000 },
      { path: long, content: Buffer.alloc(513, 7), modifiedAt: 0 },
    ];
    writeFileSync(join(directory, "x.tar"), Buffer.concat([...entries.map(tarEntry), TAR_END]));
    const said = execFileSync("tar", ["--extract", "--verbose", "--file", "x.tar"], {
      cwd: directory,
      encoding: "utf8",
    });
    assert.deepEqual(said.trimEnd().split("\n"), ["one", "two", long]);
    assert.equal(readFileSync(join(directory, "two"), "utf8"), "text");
    assert.equal(statSync(join(directory, "one")).ino, statSync(join(directory, "two")).ino);
    assert.equal(statSync(join(directory, "one")).mtimeMs, 1_700_000_000_000);
    assert.deepEqual(readFileSync(join(directory, long)), Buffer.alloc(513, 7));
  } finally {
    rmSync(directory, { recursive: true });
  }
});
