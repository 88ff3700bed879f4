import { createHmac } from "node:crypto";
import { digestOf, type HashName, hashSizeBytes } from "./hash-algorithm.ts";

/**
 * KDFa, SP 800-108 in counter mode with HMAC (TPM 2.0 Library Part 1, 11.4.10). `label` is ASCII; its final NUL is
 * added here.
 */
export function deriveByHmac(
  hash: HashName,
  key: Uint8Array,
  label: string,
  contextU: Uint8Array,
  sizeBytes: number,
): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (let counter = 1; blocks.length * hashSizeBytes(hash) < sizeBytes; counter++) {
    const hmac = createHmac(hash, key).update(u32(counter)).update(`${label}\0`, "ascii");
    blocks.push(
      hmac
        .update(contextU)
        .update(u32(sizeBytes * 8))
        .digest(),
    );
  }
  return Buffer.concat(blocks, sizeBytes);
}

/**
 * KDFe, the one-step derivation of SP 800-56A, for one digest's length (Part 1, 11.4.10). `sharedX`, `partyUX` and
 * `partyVX` are x-coordinates of the curve's size.
 */
export function deriveByHash(
  hash: HashName,
  sharedX: Uint8Array,
  label: string,
  partyUX: Uint8Array,
  partyVX: Uint8Array,
): Uint8Array {
  return digestOf(hash, u32(1), sharedX, Buffer.from(`${label}\0`, "ascii"), partyUX, partyVX);
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
