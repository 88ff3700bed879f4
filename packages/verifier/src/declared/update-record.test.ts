import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { testRelease } from "@ashlar/protocol/test-fixtures";
import {
  allowedVersions,
  beginTurn,
  endTurn,
  keepRelease,
  readKeptReleases,
  readUpdateRecord,
  updateRecordPath,
} from "./update-record.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-updates-"));
after(() => rmSync(directory, { recursive: true }));
let path: string;
let run = 0;
beforeEach(() => {
  run += 1;
  path = updateRecordPath(join(directory, `state-${run}`, "pins.json"));
});

test("both releases are right for the node whose turn it is and for no other; afterwards only the new one", async () => {
  const allowed = async (node: string, given?: string): Promise<string> => {
    const [right, also] = allowedVersions(await readUpdateRecord(path), node, { given });
    return `${right} ${also}`;
  };
  assert.equal(await allowed("a"), "undefined undefined");
  assert.equal(await allowed("a", "1.0.0"), "1.0.0 undefined");
  await beginTurn(path, { node: "a", from: "1.0.0", to: "1.1.0" });
  assert.equal(await allowed("a"), "1.0.0 1.1.0");
  assert.equal(await allowed("a", "1.1.0"), "1.1.0 1.0.0");
  assert.equal(await allowed("a", "0.9.0"), "0.9.0 undefined");
  assert.equal(await allowed("b", "1.0.0"), "1.0.0 undefined");
  await endTurn(path, "a", "1.1.0");
  assert.equal(await allowed("a"), "1.1.0 undefined");
  assert.equal(await allowed("b"), "undefined undefined");
});

test("one turn at a time; an interrupted one goes on", async () => {
  const turn = { node: "a", from: "1.0.0", to: "1.1.0" };
  await beginTurn(path, turn, new Date(0));
  await assert.rejects(beginTurn(path, { ...turn, node: "b" }), { code: "conflict", message: /update of a is/u });
  await beginTurn(path, turn, new Date(1000));
  assert.deepEqual((await readUpdateRecord(path)).turn, { ...turn, since: "1970-01-01T00:00:01.000Z" });
  await endTurn(path, "b", "2.0.0");
  assert.equal((await readUpdateRecord(path)).turn?.node, "a");
  await endTurn(path, "a", "1.1.0");
  await beginTurn(path, { ...turn, node: "b" });
  assert.deepEqual(Object.fromEntries((await readUpdateRecord(path)).declared), { a: "1.1.0", b: "2.0.0" });
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("changes at the same time do not lose each other", async () => {
  const names = Array.from({ length: 6 }, (_, index) => `node-${index}`);
  await Promise.all(names.map(async (name) => endTurn(path, name, "1.0.0")));
  assert.equal((await readUpdateRecord(path)).declared.size, 6);
});

test("a record that is none is refused, and stays", async () => {
  await endTurn(path, "a", "1.0.0");
  const record = { schema: "ashlar.update-record/v1", declared: {}, turn: null };
  const turn = { node: "a", from: "1", to: "2", since: "2026-01-01T00:00:00Z" };
  const wrong = [
    { ...record, schema: "ashlar.update-record/v2" },
    { ...record, declared: { a: "../1" } },
    { ...record, declared: { "": "1" } },
    { ...record, turn: { ...turn, since: "today" } },
    { ...record, turn: { ...turn, to: "" } },
    { ...record, more: 1 },
  ];
  for (const text of ["", "[]", `${JSON.stringify(record)}x`, ...wrong.map((each) => JSON.stringify(each))]) {
    writeFileSync(path, text);
    await assert.rejects(endTurn(path, "a", "1.1.0"), { code: "malformed" }, text);
    assert.equal(readFileSync(path, "utf8"), text);
  }
});

test("manifests are kept beside the record", async () => {
  assert.deepEqual(await readKeptReleases(path), []);
  for (const version of ["1.1.0", "1.0.0"]) await keepRelease(path, JSON.stringify(testRelease(version)));
  assert.deepEqual(
    (await readKeptReleases(path)).map(({ version }) => version),
    ["1.0.0", "1.1.0"],
  );
  await assert.rejects(keepRelease(path, "{}"), { code: "malformed" });
});
