import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { testRelease } from "@ashlar/protocol/test-fixtures";
import { keepRelease, updateRecordPath } from "./update-record.ts";
import { readKnown, rightReleases } from "./read-known.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-known-"));
after(() => rmSync(directory, { recursive: true }));
const OLD = testRelease("1.0.0");
const NEW = testRelease("1.1.0");
const recordPath = updateRecordPath(join(directory, "pins.json"));
const NOBODY = { given: undefined, made: undefined };

test("releases from all sources, each once", async () => {
  const image = join(directory, "manifest.json");
  writeFileSync(image, JSON.stringify(OLD));
  await keepRelease(recordPath, JSON.stringify(NEW));
  await keepRelease(recordPath, JSON.stringify(OLD));
  const rebuilt = testRelease("1.0.0", "the same version, built from something else");
  const { releases: found } = await readKnown({ given: [rebuilt], images: [image, directory], recordPath });
  assert.deepEqual(found, [rebuilt, OLD, NEW]);
});

test("a repository that cannot be read is an error, or is told where it is only a help", async () => {
  const repository = { releases: join(directory, "nowhere"), releaseRoot: join(directory, "nowhere.json") };
  await assert.rejects(readKnown({ images: [], recordPath, repository }), { code: "not-found" });
  const told: string[] = [];
  const onUnreadable = (message: string): unknown => told.push(message);
  const { releases: found } = await readKnown({ images: [], recordPath, repository, onUnreadable });
  assert.equal(found.length, 2);
  assert.match(told.join(), /^expected release-root.json at /u);
  await assert.rejects(readKnown({ images: [], repository: { ...repository, releaseRoot: undefined } }), {
    code: "usage",
  });
});

test("the record knows better than the image that a node was made from, the user better than the record", () => {
  const turn = { node: "b", from: "1.0.0", to: "1.1.0", since: "2026-01-01T00:00:00Z" };
  const record = { declared: new Map([["a", "1.1.0"]]), turn };
  const known = [OLD, NEW];
  const of = (node: string, given?: typeof OLD) => rightReleases(node, record, known, { given, made: OLD });
  assert.deepEqual(of("a"), { release: NEW, alsoAllowed: [] });
  assert.deepEqual(of("a", OLD), { release: OLD, alsoAllowed: [] });
  assert.deepEqual(of("b"), { release: OLD, alsoAllowed: [NEW] });
  assert.deepEqual(of("b", NEW), { release: NEW, alsoAllowed: [OLD] });
  assert.deepEqual(of("c"), { release: OLD, alsoAllowed: [] });
  assert.deepEqual(rightReleases("b", record, known, NOBODY), { release: OLD, alsoAllowed: [NEW] });
  assert.throws(() => rightReleases("c", record, known, NOBODY), { code: "usage", message: /--image/u });
  assert.throws(() => rightReleases("a", record, [OLD], NOBODY), { code: "not-found", message: /1\.1\.0.* for a/u });
});
