import { constants, type KeyObject, publicEncrypt } from "node:crypto";
import { digestOf, type HashName, hashSizeBytes } from "./hash-algorithm.ts";

/**
 * RSAES-OAEP (RFC 8017, 7.1.1) with MGF1 of the same hash. Written here because node:crypto takes its seed from its own
 * random source, and this package takes randomness as an argument only.
 *
 * @param seed random, of the hash's size.
 * @param message at most modulus size - 2 * hash size - 2 bytes.
 */
export function encryptOaep(
  key: KeyObject,
  hash: HashName,
  label: Uint8Array,
  message: Uint8Array,
  seed: Uint8Array,
): Uint8Array {
  const modulusBytes = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
  const block = new Uint8Array(modulusBytes - hashSizeBytes(hash) - 1);
  block.set(digestOf(hash, label));
  block[block.length - message.length - 1] = 1;
  block.set(message, block.length - message.length);
  const maskedBlock = xor(block, mask(hash, seed, block.length));
  const maskedSeed = xor(seed, mask(hash, maskedBlock, seed.length));
  const encoded = Buffer.concat([Uint8Array.of(0), maskedSeed, maskedBlock]);
  return publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, encoded);
}

/** MGF1 (RFC 8017, B.2.1). */
function mask(hash: HashName, seed: Uint8Array, sizeBytes: number): Uint8Array {
  const blocks: Uint8Array[] = [];
  const counter = new Uint8Array(4);
  for (let index = 0; index * hashSizeBytes(hash) < sizeBytes; index++) {
    new DataView(counter.buffer).setUint32(0, index);
    blocks.push(digestOf(hash, seed, counter));
  }
  return Buffer.concat(blocks, sizeBytes);
}

function xor(left: Uint8Array, right: Uint8Array): Uint8Array {
  return left.map((byte, index) => byte ^ (right[index] ?? 0));
}
