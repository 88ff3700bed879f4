/** Extension images, from the partition table to the files inside. */
import { X509Certificate } from "node:crypto";
import { openDdiData, parseDdi, verifyRootHashSignature } from "@ashlar/formats";
import { readExtension } from "@ashlar/identity/extensions";
import * as seeds from "./seeds.ts";
import type { Target } from "./targets.ts";

const SIGNER = new X509Certificate(seeds.vector("ddi/signer.crt"));
/** Mutations of the 1 MB between would be wasted. */
const KEPT_BYTES = 64 * 1024;
const whole = seeds.ddi();
const ends = Buffer.concat([whole.subarray(0, KEPT_BYTES), whole.subarray(-KEPT_BYTES)]);

/** Everything that is asked of an image; wrong hashes do not end it, or hardly a mutation would get far. */
function readDdi(bytes: Uint8Array): unknown {
  const middle = Math.max(0, whole.length - ends.length);
  const cut = Math.min(KEPT_BYTES, bytes.length);
  const image = Buffer.concat([bytes.subarray(0, cut), Buffer.alloc(middle), bytes.subarray(cut)]);
  const read = (offset: number, size: number): Uint8Array => image.subarray(offset, offset + size);
  const ddi = parseDdi(read, image.length);
  verifyRootHashSignature(ddi.signed, [SIGNER]);
  const { offsetBytes, sizeBytes } = ddi.data;
  readExtension((offset, size) => read(offsetBytes + offset, size), sizeBytes);
  return openDdiData(ddi, read).findDamagedBlocks(4);
}

export const EXTENSION_TARGETS: readonly Target[] = [{ name: "ddi", seeds: [ends], parse: readDdi }];
