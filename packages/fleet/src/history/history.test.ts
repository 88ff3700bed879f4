import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { signerOf } from "@ashlar/statements";
import { leafHash, treeRoot } from "../merkle/tree.ts";
import { openCheckpoint, originOf, signCheckpoint } from "./checkpoint.ts";
import { checkInclusionProof, formatInclusionProof } from "./inclusion-proof.ts";
import { entryAt } from "./replay.ts";
import { formatNoteKey, openNote, parseNoteKey, signNote } from "./signed-note.ts";
import {
  bundleOf,
  entryPlaces,
  leavesOf,
  newPlaces,
  parseBundle,
  parseTile,
  pathOf,
  tileOf,
  tilePlaces,
} from "./tiles.ts";

const KEYS = generateKeyPairSync("ed25519");
const KEY = { name: "example.org/log", ...signerOf(KEYS) };
const OTHER = { name: KEY.name, ...signerOf(generateKeyPairSync("ed25519")) };
const entriesOf = (count: number): Buffer[] => Array.from({ length: count }, (_, at) => Buffer.from(`entry ${at}`));

/** C2SP, signed-note.md, "Example". */
const EXAMPLE = {
  key: "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
  note: "This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n",
};

test("the specification's own note and key", () => {
  const key = parseNoteKey(EXAMPLE.key);
  assert.equal(openNote(EXAMPLE.note, key), "This is an example message.\n");
  assert.equal(formatNoteKey(key), EXAMPLE.key);
  assert.throws(() => openNote(EXAMPLE.note.replace("example message", "example letter"), key), { code: "untrusted" });
});

test("a note by this key, whoever else has signed it; by another one, by none, or changed it is refused", () => {
  const note = signNote("text\n", KEY.name, KEY);
  assert.equal(openNote(note, KEY), "text\n");
  const witness = signNote("text\n", "witness.example", OTHER).split("\n").at(-2) ?? "";
  assert.equal(openNote(`${note}${witness}\n`, KEY), "text\n");
  assert.throws(() => openNote(signNote("text\n", OTHER.name, OTHER), KEY), { code: "untrusted" });
  assert.throws(() => openNote(note.replace("text", "test"), KEY), { code: "untrusted" });
  // Of two by one key one is wrong: the note is.
  const wrong = signNote("other\n", KEY.name, KEY).split("\n").at(-2) ?? "";
  assert.throws(() => openNote(`${note}${wrong}\n`, KEY), { code: "untrusted" });
  for (const text of ["", "text", "text\n", "text\n\n", `${note}\0`, note.slice(0, -1), note.replace("\u2014", "-")]) {
    assert.throws(() => openNote(text, KEY), { code: "malformed" }, JSON.stringify(text));
  }
  for (const text of ["", "a", "a+b+c", EXAMPLE.key.replace("530d", "530e"), EXAMPLE.key.replace("foo", "fo o")]) {
    assert.throws(() => parseNoteKey(text), { code: "malformed" }, text);
  }
});

test("a checkpoint names its log, a size and a root, and nothing that could be read in two ways", () => {
  const root = treeRoot(leavesOf(entriesOf(3)));
  const note = signCheckpoint({ origin: KEY.name, size: 3, root }, KEY);
  assert.deepEqual(openCheckpoint(note, KEY), { origin: KEY.name, size: 3, root });
  assert.equal(originOf(note), KEY.name);
  assert.throws(() => originOf("no name\n3\n"), { code: "malformed" });
  const base64 = root.toString("base64");
  for (const text of [
    `other.example\n3\n${base64}\n`,
    `${KEY.name}\n03\n${base64}\n`,
    `${KEY.name}\n-1\n${base64}\n`,
    `${KEY.name}\n2147483648\n${base64}\n`,
    `${KEY.name}\n3\n${base64.slice(4)}\n`,
    `${KEY.name}\n3\n${base64.replace("=", "")}\n`,
    `${KEY.name}\n3\n`,
  ]) {
    assert.throws(() => openCheckpoint(signNote(text, KEY.name, KEY), KEY), { code: "malformed" }, text);
  }
});

test("paths and sizes of tiles are those of the specification's examples", () => {
  assert.equal(pathOf({ level: 0, index: 1_234_067, width: 256 }), "tile/0/x001/x234/067");
  assert.equal(pathOf({ level: "entries", index: 5, width: 12 }), "tile/entries/005.p/12");
  const widths = (size: number): string[] =>
    [0, 1, 2].map((level) => {
      const row = tilePlaces(size).filter((place) => place.level === level);
      return (
        row
          .map(({ width }) => width)
          .filter((width, at) => width < 256 || at === 0)
          .join(",") + `/${row.length}`
      );
    });
  assert.deepEqual(widths(70_000), ["256,112/274", "256,17/2", "1/1"]);
  assert.deepEqual(widths(256), ["256/1", "1/1", "/0"]);
  assert.deepEqual(tilePlaces(0), []);
  // One more entry is one more bundle, a tile of each level that it completes, and no other file.
  assert.deepEqual(newPlaces(255, 256).map(pathOf), ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
  assert.deepEqual(newPlaces(256, 257).map(pathOf), ["tile/entries/001.p/1", "tile/0/001.p/1"]);
});

test("the root over tiles of tiles is the root over the leaves", () => {
  for (const size of [1, 2, 255, 256, 257, 700]) {
    const leaves = leavesOf(entriesOf(size));
    const level1 = tilePlaces(size)
      .filter(({ level }) => level === 1)
      .flatMap((place) => parseTile(tileOf(place, leaves), place.width));
    for (const [at, hash] of level1.entries()) assert.ok(hash.equals(treeRoot(leaves.slice(at * 256, (at + 1) * 256))));
    assert.equal(level1.length, Math.floor(size / 256));
  }
});

test("bundles: what is written is read again; other lengths and rests are refused", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 256 }), (entries) => {
      const bytes = bundleOf(entries);
      assert.deepEqual(
        parseBundle(bytes, entries.length).map((each) => new Uint8Array(each)),
        entries,
      );
      for (const width of [entries.length - 1, entries.length + 1]) {
        assert.throws(() => parseBundle(bytes, width), { code: "malformed" });
      }
      assert.throws(() => parseBundle(bytes.subarray(0, -1), entries.length), { code: "malformed" });
    }),
  );
  assert.deepEqual(entryPlaces(300).map(pathOf), ["tile/entries/000", "tile/entries/001.p/44"]);
  assert.throws(() => bundleOf([Buffer.alloc(65_536)]), { code: "limit" });
});

test("a proof holds for its entry, and for no other, place or log", () => {
  const entries = entriesOf(300);
  const leaves = leavesOf(entries);
  const note = signCheckpoint({ origin: KEY.name, size: 300, root: treeRoot(leaves) }, KEY);
  for (const index of [0, 1, 255, 256, 299]) {
    const text = formatInclusionProof(index, entries[index] ?? Buffer.alloc(0), leaves, note);
    const { entry, index: found } = checkInclusionProof(text, KEY);
    assert.deepEqual([entry.toString(), found], [`entry ${index}`, index]);
    const other = Buffer.from("entry x").toString("base64");
    assert.throws(() => checkInclusionProof(text.replace(/^extra .*$/mu, `extra ${other}`), KEY), {
      code: "untrusted",
    });
    const place = text.replace(/^index .*$/mu, `index ${index === 7 ? 8 : 7}`);
    assert.throws(() => checkInclusionProof(place, KEY), { code: "untrusted" });
    assert.throws(() => checkInclusionProof(text, OTHER), { code: "untrusted" });
    const lines = text.split("\n");
    assert.throws(() => checkInclusionProof(lines.toSpliced(3, 1).join("\n"), KEY), { code: "untrusted" });
    for (const wrong of [text.slice(1), text.replace(/^index/mu, "place"), text.replace(/^extra .*\n/mu, "")]) {
      assert.throws(() => checkInclusionProof(wrong, KEY), { code: "malformed" });
    }
  }
  assert.throws(() => checkInclusionProof("x".repeat(300_000), KEY), { code: "limit" });
});

test("arbitrary texts are refused as malformed or untrusted, and nothing else", () => {
  const note = signCheckpoint({ origin: KEY.name, size: 1, root: leafHash("a") }, KEY);
  const proof = formatInclusionProof(0, Buffer.from("a"), leavesOf([Buffer.from("a")]), note);
  fc.assert(
    fc.property(fc.nat(proof.length), fc.nat(20), fc.string({ maxLength: 10 }), (at, length, text) => {
      const changed = proof.slice(0, at) + text + proof.slice(at + length);
      try {
        const { entry } = checkInclusionProof(changed, KEY);
        assert.equal(entry.toString(), "a");
      } catch (error) {
        assert.ok(
          error instanceof Error && "code" in error && ["malformed", "untrusted"].includes(String(error.code)),
          String(error),
        );
      }
    }),
    { numRuns: 2000 },
  );
});

test("at a time counts the last certificate that was issued until then, in whatever order they were logged", () => {
  const entries = ["2026-01-02", "2026-01-01", "2026-01-03", "2026-01-03"].map((day, at) => ({
    issuedAt: `${day}T00:00:00Z`,
    at,
  }));
  const found = (time: string): number | undefined => entryAt(entries, Date.parse(time))?.at;
  assert.deepEqual(
    ["2025-12-31T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-02T12:00:00Z", "2026-02-01T00:00:00Z"].map(found),
    [undefined, 1, 0, 3],
  );
});

test("a key in PEM and a verifier key are the same key", () => {
  const { publicKey } = parseNoteKey(formatNoteKey(KEY));
  assert.ok(publicKey.equals(createPublicKey(KEYS.privateKey)));
});
