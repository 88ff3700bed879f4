import assert from "node:assert/strict";
import { test } from "node:test";
import { compareCertificates } from "./compare.ts";
import { runningDigest, type NodeRecord, type Running } from "./node-record.ts";

const ONE: Running = {
  identity: "1".repeat(64),
  release: "1.0.0",
  config: "c".repeat(64),
  extensions: [{ kind: "sysext", name: "kubernetes", version: "v1.33.2", rootHash: "e".repeat(64) }],
};
const [extension] = ONE.extensions;

function fleetOf(nodes: readonly (readonly [string, Running, Partial<NodeRecord>?])[]) {
  const record = {
    level: "proven",
    nextBoot: "proven",
    policy: 0,
    challengedAt: null,
    evidence: null,
    differences: [],
  };
  return {
    nodes: nodes.map(
      ([name, running, more]) =>
        Object.assign({}, record, { name, runs: runningDigest(running), salt: "" }, more) as NodeRecord,
    ),
    running: new Map(nodes.map(([, running]) => [runningDigest(running), running])),
  };
}

test("who joined, left and changed, and what; when a node was asked is no change", () => {
  assert.ok(extension !== undefined);
  const newer = { ...ONE, extensions: [{ ...extension, version: "v1.33.5", rootHash: "f".repeat(64) }] };
  const before = fleetOf([
    ["a", ONE],
    ["b", ONE],
    ["c", ONE],
    ["d", ONE],
    ["e", ONE],
    ["f", ONE],
  ]);
  const after = fleetOf([
    ["b", ONE, { challengedAt: "2026-01-01T00:00:00Z", evidence: "0".repeat(64), salt: "other" }],
    ["c", { ...ONE, identity: "2".repeat(64), release: "1.1.0" }],
    ["d", newer],
    ["e", { ...ONE, identity: "3".repeat(64) }],
    [
      "f",
      { ...ONE, identity: null, extensions: [] },
      { level: "mismatch", nextBoot: null, differences: ["extension-missing"] },
    ],
    ["g", ONE],
  ]);
  assert.deepEqual(compareCertificates(before, after), {
    joined: ["g"],
    left: ["a"],
    changed: [
      { name: "c", changes: [{ what: "release", before: "1.0.0", after: "1.1.0" }] },
      {
        name: "d",
        changes: [
          {
            what: "extension",
            before: `v1.33.2 ${"e".repeat(64)}`,
            after: `v1.33.5 ${"f".repeat(64)}`,
            subject: "sysext kubernetes",
          },
        ],
      },
      { name: "e", changes: [{ what: "build", before: ONE.identity, after: "3".repeat(64) }] },
      {
        name: "f",
        changes: [
          { what: "level", before: "proven", after: "mismatch (extension-missing)" },
          { what: "next boot", before: "proven", after: "unknown" },
          { what: "extension", before: `v1.33.2 ${"e".repeat(64)}`, after: "none", subject: "sysext kubernetes" },
        ],
      },
    ],
    same: 1,
  });
  const same = compareCertificates(before, before);
  assert.deepEqual([same.joined, same.left, same.changed, same.same], [[], [], [], 6]);
});
