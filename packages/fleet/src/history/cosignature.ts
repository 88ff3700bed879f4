/**
 * What witnesses say of a log (C2SP, tlog-cosignature.md, "Ed25519 signed message"): that this is the largest checkpoint they have
 * seen of it, and that it goes on from those before. Whoever asks for a few of them is not shown a past of his own.
 */
import { verify } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import type { Signer } from "@ashlar/statements";
import { formatNoteKey, parseNote, signatureLine, signaturesBy, type NoteKey } from "./signed-note.ts";

export type Cosignature = {
  readonly witness: string;
  /** Seconds since 1970, by the witness's clock. */
  readonly atSeconds: number;
};

const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;

/** The note with the witness's line. @param atSeconds since 1970 @throws AshlarError `malformed` for what is no note */
export function cosign(note: string, witness: string, signer: Signer, atSeconds: number): string {
  const { text } = parseNote(note);
  const time = Buffer.alloc(TIME_BYTES);
  time.writeBigUInt64BE(BigInt(atSeconds));
  const signature = signer.sign(messageOf(text, BigInt(atSeconds)));
  const key = { name: witness, publicKey: signer.publicKey, type: "cosignature" } as const;
  return note + signatureLine(key, Buffer.concat([time, signature]));
}

/**
 * Which of these witnesses have cosigned a note, the latest time of each.
 *
 * @throws AshlarError `malformed`; `untrusted` for a line that carries a witness's name and number and is not by it
 */
export function readCosignatures(note: string, witnesses: readonly NoteKey[]): Cosignature[] {
  const { text, signatures } = parseNote(note);
  return witnesses.flatMap((witness) => {
    const times = signaturesBy(witness, signatures).map((bytes) => {
      const time = bytes.length === TIME_BYTES + SIGNATURE_BYTES ? bytes.readBigUInt64BE() : undefined;
      if (time !== undefined && time <= Number.MAX_SAFE_INTEGER) {
        if (verify(null, messageOf(text, time), witness.publicKey, bytes.subarray(TIME_BYTES))) return Number(time);
      }
      throw new AshlarError("untrusted", `expected a cosignature by ${formatNoteKey(witness)}, found other bytes`);
    });
    return times.length === 0 ? [] : [{ witness: witness.name, atSeconds: Math.max(...times) }];
  });
}

/**
 * The note with the cosignatures that another copy of it has and it has not.
 *
 * @throws AshlarError `conflict` when they are over something else, and what {@link readCosignatures} throws
 */
export function addCosignatures(note: string, other: string, witnesses: readonly NoteKey[]): string {
  const [own, found] = [parseNote(note), parseNote(other)];
  if (own.text !== found.text) {
    throw new AshlarError(
      "conflict",
      "expected cosignatures of the checkpoint that the log has, found those of another",
    );
  }
  readCosignatures(other, witnesses);
  const known = new Set(own.signatures.map(({ signature }) => signature.toString("hex")));
  const lines = witnesses.flatMap((witness) =>
    signaturesBy(witness, found.signatures)
      .filter((signature) => !known.has(signature.toString("hex")))
      .map((signature) => signatureLine(witness, signature)),
  );
  const whole = note + lines.join("");
  parseNote(whole);
  return whole;
}

/** @param text of the note, with its last line feed */
function messageOf(text: string, time: bigint): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${time}\n${text}`);
}
