/**
 * What a quote answers: the bytes that it must carry in extraData. The nonce makes the quote fresh; the TLS key binds it
 * to the channel, so that one machine cannot pass on another's quote; the domain word says which question was asked.
 *
 *     SHA-256( field(domain word) field(nonce) field(TLS key) [field(SHA-256(report))] )
 *     field(bytes) = their number as 4 bytes, big-endian, then the bytes
 *
 * With its length before each value, no byte of one can be read as part of another: a quote stands for one nonce, one key
 * and one question. This file needs no schema library: both sides, and the node too, compute it here.
 */
import { hash } from "node:crypto";

/** The size of every challenge's nonce. */
export const NONCE_BYTES = 32;

/** The domain words are the schemas of the answers: another version of an answer is another question. */
export const EVIDENCE_SCHEMA = "ashlar.evidence/v2";
export const NEXT_BOOT_SCHEMA = "ashlar.next-boot/v2";

/** For evidence. @param tlsPublicKey of the agent, SubjectPublicKeyInfo as DER */
export function qualifyingData(nonce: Uint8Array, tlsPublicKey: Uint8Array): Buffer {
  return hashFields(Buffer.from(EVIDENCE_SCHEMA), nonce, tlsPublicKey);
}

/** For a report on the next boot: its exact text. */
export function nextBootQualifyingData(nonce: Uint8Array, tlsPublicKey: Uint8Array, report: string): Buffer {
  const reportDigest = Buffer.from(hash("sha256", report), "hex");
  return hashFields(Buffer.from(NEXT_BOOT_SCHEMA), nonce, tlsPublicKey, reportDigest);
}

/**
 * The nonce for a node where somebody else, an auditor, has chosen the challenge: SHA-256( field(domain word) field(challenge)
 * field(name) ). Nobody can know it, and so have it quoted, before the challenge is known.
 */
export function challengedNonce(challenge: string, name: string): Buffer {
  return hashFields(Buffer.from(CHALLENGE_DOMAIN), Buffer.from(challenge), Buffer.from(name));
}

const CHALLENGE_DOMAIN = "ashlar.challenged-nonce/v1";

function hashFields(...fields: readonly Uint8Array[]): Buffer {
  const parts = fields.flatMap((field) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(field.length);
    return [length, field];
  });
  // By way of text it takes less than half as long as asking for a Buffer.
  return Buffer.from(hash("sha256", Buffer.concat(parts)), "hex");
}
