import assert from "node:assert/strict";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import { compareVersions } from "@ashlar/formats";
import fc from "fast-check";
import { addExtension, keepNewestExtensions, sortedExtensions, trackOf } from "./edit-extensions.ts";
import { EMPTY_INDEX } from "./edit-index.ts";
import { EXTENSION_FILE_KINDS, type ExtensionEntry, extensionFileNames } from "./extension-entry.ts";
import type { SignedTargets } from "./index-fields.ts";
import { INDEX_FIELD, INDEX_SCHEMA, parseIndex } from "./repository-index.ts";

const DIGEST = "ab".repeat(32);
const ENTRY = { kind: "sysext", tier: "community", rootHash: DIGEST, blocksRootHash: DIGEST };
const names = extensionFileNames({ name: "kubernetes", version: "v1.33.2" });
const at = (name: string): string => `extensions/kubernetes/${name}`;

type Loose = Record<string, unknown>;
type Wire = { extensions: Record<string, Record<string, unknown>>; targets: Record<string, Loose> };

/** A good index, changed. */
function wire(change: (wire: Wire) => void = () => undefined): SignedTargets {
  const target = (): Loose => ({ length: 8192, hashes: { sha256: DIGEST } });
  const content: Wire = {
    extensions: { kubernetes: { "v1.33.2": { ...ENTRY } } },
    targets: Object.fromEntries(Object.values(names).map((name) => [at(name), target()])),
  };
  change(content);
  const { targets, extensions } = content;
  const index = { schema: INDEX_SCHEMA, channels: {}, releases: {}, extensions };
  return { version: 3, targets: targets as SignedTargets["targets"], unrecognizedFields: { [INDEX_FIELD]: index } };
}

const changed = (change: Loose) => (each: Wire) =>
  void (each.extensions = { kubernetes: { "v1.33.2": { ...ENTRY, ...change } } });

test("a good index; one that is older than extensions has none", () => {
  const entry = parseIndex(wire()).extensions.get("kubernetes")?.get("v1.33.2");
  assert.deepEqual(entry?.files.image, { name: "kubernetes-v1.33.2-x86-64.raw", sizeBytes: 8192, sha256: DIGEST });
  assert.deepEqual(
    [entry.kind, entry.tier, entry.rootHash, entry.withdrawn],
    ["sysext", "community", DIGEST, undefined],
  );
  const older = { schema: INDEX_SCHEMA, channels: {}, releases: {} };
  const signed = { version: 1, targets: {}, unrecognizedFields: { [INDEX_FIELD]: older } };
  assert.equal(parseIndex(signed).extensions.size, 0);
});

const BAD: readonly (readonly [RegExp, (wire: Wire) => void])[] = [
  [/an object at \$\.extensions/u, (each) => (each.extensions = [] as unknown as Wire["extensions"])],
  [/an extension's name/u, (each) => (each.extensions = { "../x": {} })],
  [/an object at \$\.extensions\.kubernetes/u, (each) => (each.extensions = { kubernetes: 1 as unknown as Loose })],
  [/a version at \$\.extensions\.kubernetes/u, (each) => (each.extensions = { kubernetes: { "v1-33": {} } })],
  [/an object at .*v1\.33\.2/u, (each) => (each.extensions = { kubernetes: { "v1.33.2": null } })],
  [/\.kind/u, changed({ kind: "portable" })],
  [/\.tier/u, changed({ tier: "other" })],
  [/\.rootHash/u, changed({ rootHash: "x" })],
  [/\.blocksRootHash/u, changed({ blocksRootHash: undefined })],
  [/withdrawn\.reason/u, changed({ withdrawn: { reason: 1, at: "2026-11-22T00:00:00Z" } })],
  [/withdrawn\.at/u, changed({ withdrawn: { reason: "x", at: "today" } })],
  ...EXTENSION_FILE_KINDS.map(
    (kind) => [/the name of a target with its SHA-256/u, (each: Wire) => delete each.targets[at(names[kind])]] as const,
  ),
  [/blocks of 4096 bytes/u, (each) => ((each.targets[at(names.image)] ?? {})["length"] = 5000)],
  [/length/u, (each) => ((each.targets[at(names.sbom)] ?? {})["length"] = 2 ** 40)],
  [
    /at most 256 entries/u,
    (each) => (each.extensions = Object.fromEntries(Array.from({ length: 257 }, (_, count) => [`e${count}`, {}]))),
  ],
  [
    /at most 256 entries/u,
    (each) =>
      (each.extensions = { e: Object.fromEntries(Array.from({ length: 257 }, (_, count) => [`v${count}`, ENTRY])) }),
  ],
];

test("each malformed field is named", () => {
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
    fc.property(fc.constantFrom(...Object.keys(ENTRY), "withdrawn"), fc.jsonValue(), (member, value) => {
      try {
        parseIndex(wire(changed({ [member]: value })));
      } catch (error) {
        assert.ok(error instanceof AshlarError, String(error));
      }
    }),
    { numRuns: 300 },
  );
});

test("gc of any versions: the newest of each track stay, withdrawn ones do not count", () => {
  const version = fc.record({ minor: fc.nat(2), patch: fc.nat(20), isWithdrawn: fc.boolean() });
  const versions = fc.uniqueArray(version, { maxLength: 20, selector: ({ minor, patch }) => `${minor}.${patch}` });
  const file = { name: "x", sizeBytes: 4096, sha256: DIGEST };
  const files = { image: file, blocks: file, manifest: file, sbom: file };
  fc.assert(
    fc.property(versions, fc.integer({ min: 1, max: 5 }), (all, keep) => {
      const entries = all.map(({ minor, patch, isWithdrawn }): ExtensionEntry => ({
        kind: "sysext",
        tier: "community",
        name: "k",
        rootHash: DIGEST,
        blocksRootHash: DIGEST,
        files,
        version: `v1.${minor}.${patch}`,
        ...(isWithdrawn && { withdrawn: { reason: "", at: "" } }),
      }));
      const kept = sortedExtensions(keepNewestExtensions(entries.reduce(addExtension, EMPTY_INDEX), keep));
      for (const entry of entries) {
        const newer = entries.filter(
          (other) =>
            trackOf(other) === trackOf(entry) &&
            other.withdrawn === undefined &&
            compareVersions(other.version, entry.version) > 0,
        );
        assert.equal(kept.includes(entry), newer.length < keep, entry.version);
      }
    }),
    { numRuns: 200 },
  );
});

test("tracks", () => {
  assert.equal(trackOf({ name: "kubernetes", version: "v1.33.2" }), "kubernetes-v1.33");
  assert.equal(trackOf({ name: "k3s", version: "v1.33+k3s2" }), "k3s-v1.33");
  assert.equal(trackOf({ name: "zfs", version: "2" }), "zfs-2");
});
