import assert from "node:assert/strict";
import { test } from "node:test";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { SnapshotReader } from "../snapshot/snapshot-reader.ts";
import { snapshotOf } from "./arrange.ts";

const DIGEST = "ab".repeat(32);
const COLLECTED = "ashlar-audit/2";
const LINE = "1 1 2 1.5 f 755 0 0 1 usr/a\n\n";
const fields = (...all: string[]): Buffer => Buffer.from([...all, ""].join("\0"));
const parse = (bytes: Buffer): Snapshot => new SnapshotReader().read(snapshotOf(bytes));

test("what is not all that a collector writes is refused", () => {
  const bad: readonly [Buffer, RegExp][] = [
    [fields(COLLECTED), /expected a field that ends/u],
    [fields(COLLECTED, "piece", "other", "", "end"), /expected one of the lists/u],
    [fields(COLLECTED, "piece", "files", LINE.replace("1 1", "1 x"), "end"), /links, device/u],
    [fields(COLLECTED, "piece", "files", LINE.replace("usr", "/usr"), "end"), /links, device/u],
    [fields(COLLECTED, "piece", "files", LINE.slice(0, -1), "end"), /two lines for each file/u],
    [fields(COLLECTED, "piece", "sha256", "ab  usr/a\n", "end"), /SHA-256 digest/u],
    [fields(COLLECTED, "same", "files", "0".repeat(32), "end"), /sent before/u],
  ];
  for (const [bytes, message] of bad) assert.throws(() => parse(bytes), message);
});

test("what the collector wrote: digests for all names of a file, mounts, what could not be read", () => {
  const lines = [
    "2 7 5 1 f 644 0 0 1 usr/b\n\n",
    "2 7 5 1 f 644 0 0 1 usr/a\n\n",
    "1 7 6 1 f 644 0 0 1 usr/closed\n\n",
    "1 7 8 -1.5 f 644 0 0 17179869184 usr/large\n\n",
    "1 8 9 1 d 755 0 0 1 usr/mounted\n\n",
    "1 7 1 1 d 755 0 0 1 usr\n\n",
    "1 7 4 1 l 777 0 0 1 usr/l\nto\\n\\\\\n",
  ];
  const { files, unread } = parse(
    fields(
      COLLECTED,
      "text",
      "capabilities",
      "usr/b = cap_chown+ep\n",
      "piece",
      "files",
      lines.slice(0, 3).join(""),
      "piece",
      "files",
      lines.slice(3).join(""),
      "piece",
      "sha256",
      `${DIGEST}  usr/a\n`,
      "changed",
      "usr/b",
      "end",
    ),
  );
  const known = files.map(({ path, digest, modified, capabilities }) => [path, digest ?? modified, capabilities]);
  assert.deepEqual(known, [
    ["/usr", undefined, undefined],
    ["/usr/a", DIGEST, undefined],
    ["/usr/b", DIGEST, "cap_chown=ep"],
    ["/usr/closed", undefined, undefined],
    ["/usr/l", undefined, undefined],
    ["/usr/large", "-1.5", undefined],
    ["/usr/mounted", undefined, undefined],
  ]);
  assert.equal(files[4]?.target, "to\n\\\\");
  assert.deepEqual(unread, [
    { path: "/usr/closed", why: "unreadable" },
    { path: "/usr/mounted", why: "mount" },
    { path: "/usr/b", why: "changed while it was read" },
  ]);
});
