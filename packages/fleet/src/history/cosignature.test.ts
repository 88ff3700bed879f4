import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import { signerOf } from "@ashlar/statements";
import { openCheckpoint, signCheckpoint } from "./checkpoint.ts";
import { addCosignatures, cosign, readCosignatures } from "./cosignature.ts";
import { formatNoteKey, parseNoteKey, signatureLine, type NoteKey } from "./signed-note.ts";

const LOG = signerOf(generateKeyPairSync("ed25519"));
const ORIGIN = "example.org/fleet";
const checkpointOf = (size: number): string =>
  signCheckpoint({ origin: ORIGIN, size, root: Buffer.alloc(32, size) }, LOG);
const NOTE = checkpointOf(3);
const PAIRS = [generateKeyPairSync("ed25519"), generateKeyPairSync("ed25519")] as const;
const [FIRST, SECOND] = [signerOf(PAIRS[0]), signerOf(PAIRS[1])];
const keyOf = (name: string, { publicKey }: typeof FIRST): NoteKey => ({ name, publicKey, type: "cosignature" });
const [ONE, TWO] = [keyOf("witness.example/1", FIRST), keyOf("witness.example/2", SECOND)];

test("a witness's line says when, over the note's text, and leaves the log's own signature", () => {
  const note = cosign(cosign(NOTE, ONE.name, FIRST, 1_700_000_000), TWO.name, SECOND, 1_700_000_001);
  assert.ok(note.startsWith(NOTE));
  assert.equal(openCheckpoint(note, { name: ORIGIN, publicKey: LOG.publicKey }).size, 3);
  assert.deepEqual(readCosignatures(note, [TWO, ONE]), [
    { witness: TWO.name, atSeconds: 1_700_000_001 },
    { witness: ONE.name, atSeconds: 1_700_000_000 },
  ]);
  assert.deepEqual(readCosignatures(note, [keyOf(ONE.name, SECOND), keyOf("witness.example/3", FIRST)]), []);
  assert.deepEqual(readCosignatures(NOTE, [ONE]), []);
  const later = cosign(note, ONE.name, FIRST, 1_800_000_000);
  assert.deepEqual(readCosignatures(later, [ONE]), [{ witness: ONE.name, atSeconds: 1_800_000_000 }]);
});

test("the signed message is the specification's, byte for byte", () => {
  const text = NOTE.slice(0, NOTE.indexOf("\n\n") + 1);
  const message = `cosignature/v1\ntime 1679315147\n${text}`;
  const time = Buffer.from("000000006418 50cb".replaceAll(" ", ""), "hex");
  assert.equal(time.readBigUInt64BE(), 1679315147n);
  const signature = sign(null, Buffer.from(message), PAIRS[0].privateKey);
  assert.equal(cosign(NOTE, ONE.name, FIRST, 1679315147), NOTE + signatureLine(ONE, Buffer.concat([time, signature])));
});

test("a line that is not by the witness whose number it carries condemns the note", () => {
  const time = Buffer.alloc(8);
  for (const bytes of [Buffer.alloc(72), Buffer.concat([time, Buffer.alloc(63)]), Buffer.alloc(72, 0xff)]) {
    assert.throws(() => readCosignatures(NOTE + signatureLine(ONE, bytes), [ONE]), { code: "untrusted" });
  }
  const other = cosign(checkpointOf(4), ONE.name, FIRST, 1);
  assert.throws(() => readCosignatures(NOTE + (other.split("\n").at(-2) ?? "") + "\n", [ONE]), { code: "untrusted" });
  // The time is signed, too.
  const note = cosign(NOTE, ONE.name, FIRST, 5);
  const line = note.split("\n").at(-2) ?? "";
  const bytes = Buffer.from(line.split(" ").at(-1) ?? "", "base64");
  bytes.writeUInt8(6, 4 + 7);
  assert.throws(() => readCosignatures(NOTE + signatureLine(ONE, bytes.subarray(4)), [ONE]), { code: "untrusted" });
});

test("cosignatures of the same checkpoint are put together, each once", () => {
  const [one, two] = [cosign(NOTE, ONE.name, FIRST, 1), cosign(NOTE, TWO.name, SECOND, 2)];
  const both = addCosignatures(one, two, [ONE, TWO]);
  assert.deepEqual(readCosignatures(both, [ONE, TWO]).length, 2);
  assert.equal(addCosignatures(both, two, [ONE, TWO]), both);
  assert.equal(addCosignatures(NOTE, two, [ONE]), NOTE, "of witnesses that nobody has named nothing is taken");
  assert.throws(() => addCosignatures(NOTE, cosign(checkpointOf(4), ONE.name, FIRST, 1), [ONE]), { code: "conflict" });
  let full = NOTE;
  for (let time = 1; time < 16; time += 1) full = cosign(full, ONE.name, FIRST, time);
  assert.throws(() => addCosignatures(full, two, [TWO]), { code: "malformed" });
});

test("a witness's key is of a type of its own", () => {
  const text = formatNoteKey(ONE);
  assert.equal(formatNoteKey(parseNoteKey(text, "cosignature")), text);
  assert.throws(() => parseNoteKey(text), { code: "malformed" });
  assert.throws(() => parseNoteKey(formatNoteKey({ name: ONE.name, publicKey: ONE.publicKey }), "cosignature"), {
    code: "malformed",
  });
});
