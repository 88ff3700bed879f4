import assert from "node:assert/strict";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import fc from "fast-check";
import { addRelease, EMPTY_INDEX, keepNewest, offeredReleases, pointChannel, sortedReleases } from "./edit-index.ts";
import { forEachFileKind, releaseFileNames } from "./file-names.ts";
import type { SignedTargets } from "./index-fields.ts";
import { INDEX_FIELD, INDEX_SCHEMA, parseIndex, type ReleaseEntry } from "./repository-index.ts";

const names = releaseFileNames({
  version: "1.0.0",
  usr: {
    dataPartitionUuid: "11111111-1111-1111-1111-111111111111",
    hashPartitionUuid: "22222222-2222-2222-2222-222222222222",
  },
});
const target = { length: 5, hashes: { sha256: "ab".repeat(32) } };

type Loose = Record<string, unknown>;
type Wire = { schema: unknown; channels: Loose; releases: Record<string, Loose>; targets: Record<string, Loose> };

/** A good index, changed. */
function wire(change: (wire: Wire) => void = () => undefined): SignedTargets {
  const content: Wire = {
    schema: INDEX_SCHEMA,
    channels: { stable: { version: "1.0.0", minimumVersion: "0" } },
    releases: { "1.0.0": { files: { ...names } } },
    targets: Object.fromEntries(Object.values(names).map((name) => [name, { ...target }])),
  };
  change(content);
  const { targets, ...index } = content;
  return { version: 3, targets: targets as SignedTargets["targets"], unrecognizedFields: { [INDEX_FIELD]: index } };
}

test("a good index", () => {
  const { serial, channels, releases } = parseIndex(wire());
  assert.equal(serial, 3);
  assert.deepEqual(channels.get("stable"), { version: "1.0.0", minimumVersion: "0" });
  const uki = { name: "ashlar_1.0.0.efi", sizeBytes: 5, sha256: "ab".repeat(32) };
  assert.deepEqual(releases.get("1.0.0")?.files.uki, uki);
});

const BAD: readonly (readonly [RegExp, (wire: Wire) => void])[] = [
  [/schema/u, (each) => (each.schema = "other")],
  [/a version at \$\.releases/u, (each) => (each.releases["../x"] = {})],
  [/\$\.releases\.1\.0\.0/u, (each) => (each.releases["1.0.0"] = [] as unknown as Loose)],
  [/files/u, (each) => delete each.releases["1.0.0"]?.["files"]],
  [/files\.uki/u, (each) => (each.releases["1.0.0"] = { files: { ...names, uki: "../../etc/passwd" } })],
  [/files\.uki/u, (each) => (each.releases["1.0.0"] = { files: { ...names, uki: "ashlar_none" } })],
  [/files\.uki/u, (each) => (each.releases["1.0.0"] = { files: { ...names, uki: 5 } })],
  [/files\.uki/u, (each) => (each.targets[names.uki] = { length: 5, hashes: { sha256: "x" } })],
  [/files\.uki/u, (each) => (each.targets[names.uki] = { length: 5, hashes: {} })],
  [/length/u, (each) => (each.targets[names.uki] = { ...target, length: -1 })],
  [/length/u, (each) => (each.targets[names.uki] = { ...target, length: 2 ** 40 })],
  [
    /reason/u,
    (each) => (each.releases["1.0.0"] = { files: names, withdrawn: { reason: 1, at: "2026-11-22T00:00:00Z" } }),
  ],
  [/reason/u, (each) => (each.releases["1.0.0"] = { files: names, withdrawn: { reason: "x".repeat(1001), at: "" } })],
  [/withdrawn\.at/u, (each) => (each.releases["1.0.0"] = { files: names, withdrawn: { reason: "x", at: "today" } })],
  [/channel's name/u, (each) => (each.channels["metadata"] = { version: "1.0.0", minimumVersion: "0" })],
  [/channels\.stable\.version/u, (each) => (each.channels["stable"] = { minimumVersion: "0" })],
  [/minimumVersion/u, (each) => (each.channels["stable"] = { version: "1.0.0", minimumVersion: "" })],
  [/which is not there/u, (each) => (each.channels["stable"] = { version: "2.0.0", minimumVersion: "0" })],
  [
    /at most 64 entries/u,
    (each) => (each.channels = Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`c${at}`, {}]))),
  ],
  [
    /at most 1000 entries/u,
    (each) => (each.releases = Object.fromEntries(Array.from({ length: 1001 }, (_, at) => [`${at}`, {}]))),
  ],
];

test("each malformed field is named", () => {
  assert.throws(() => parseIndex({ version: 1, targets: {}, unrecognizedFields: {} }), AshlarError);
  for (const [message, change] of BAD) {
    assert.throws(
      () => parseIndex(wire(change)),
      (error) => error instanceof AshlarError && message.test(error.message),
      String(message),
    );
  }
});

test("anything else is a value or an AshlarError", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (channels, content, length) => {
      const index = { schema: INDEX_SCHEMA, channels, releases: { "1.0.0": content } };
      const targets = { [names.uki]: { length: typeof length === "number" ? length : Number.NaN, hashes: {} } };
      try {
        parseIndex({ version: 1, targets, unrecognizedFields: { [INDEX_FIELD]: index } });
      } catch (error) {
        assert.ok(error instanceof AshlarError, String(error));
      }
    }),
    { numRuns: 300 },
  );
});

function release(version: string): ReleaseEntry {
  return { version, files: forEachFileKind(() => ({ name: "x", sizeBytes: 1, sha256: "" })) };
}

test("any set of releases: the newest come first, gc never removes what a channel points at", () => {
  const version = fc.tuple(fc.nat(20), fc.nat(20), fc.nat(20)).map((numbers) => numbers.join("."));
  const versions = fc.uniqueArray(version, { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(versions, fc.nat(), fc.integer({ min: 1, max: 12 }), (all, pick, keep) => {
      const chosen = all[pick % all.length] ?? "";
      const index = pointChannel(all.map(release).reduce(addRelease, EMPTY_INDEX), "stable", chosen);
      const sorted = sortedReleases(index).map((each) => each.version);
      const [newest] = all.toSorted((a, b) => b.localeCompare(a, "en", { numeric: true }));
      assert.equal(sorted[0], newest);
      const kept = keepNewest(index, keep).releases;
      assert.ok(kept.has(chosen) && kept.size <= keep + 1 && sorted.slice(0, keep).every((each) => kept.has(each)));
      const channel = index.channels.get("stable");
      assert.ok(channel !== undefined);
      assert.equal(offeredReleases(index, channel)[0]?.version, chosen);
    }),
    { numRuns: 100 },
  );
});
