import { readSync } from "node:fs";
import { open } from "node:fs/promises";
import type { X509Certificate } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { AshlarError } from "@ashlar/base";
import { openDdiData, parseDdi, verifyRootHashSignature } from "@ashlar/formats";
import { type ExtensionManifest, readExtension } from "@ashlar/protocol";

/**
 * Checks an extension image as a node does before it merges it, and that it is what its manifest says: the signature of its
 * root hash, every block, and the names inside.
 *
 * @throws AshlarError `untrusted`, `malformed`, `invalid`, `limit`
 */
export async function verifyExtensionImage(
  path: string,
  manifest: ExtensionManifest,
  certificate: X509Certificate,
): Promise<void> {
  await using file = await open(path, "r");
  const read = (offsetBytes: number, sizeBytes: number): Uint8Array => {
    const bytes = new Uint8Array(sizeBytes);
    const found = readSync(file.fd, bytes, 0, sizeBytes, offsetBytes);
    if (found === sizeBytes) return bytes;
    throw new AshlarError("malformed", `expected ${sizeBytes} bytes at ${offsetBytes}, found ${found}`);
  };
  const ddi = parseDdi(read, (await file.stat()).size);
  verifyRootHashSignature(ddi.signed, [certificate]);
  const data = openDdiData(ddi, read);
  const [damaged] = data.findDamagedBlocks(1);
  if (damaged !== undefined) throw new AshlarError("untrusted", `block ${damaged} of its file system is damaged`);
  const { kind, name, version, host, behaviour } = readExtension(data.read, data.sizeBytes);
  const { rootHash, certificateSha256 } = ddi.signed;
  for (const [what, found, expected] of [
    ["kind", kind, manifest.kind],
    ["name", name, manifest.name],
    ["version", version, manifest.version],
    ["host", host, manifest.host],
    ["behaviour", behaviour, manifest.behaviour],
    ["root hash", rootHash, manifest.image.rootHash],
    ["certificate", certificateSha256, manifest.image.certificateSha256],
  ] as const) {
    if (isDeepStrictEqual(found, expected)) continue;
    const [inside, outside] = [JSON.stringify(found), JSON.stringify(expected)];
    throw new AshlarError("untrusted", `${what}: expected ${outside} as in the manifest, found ${inside} in the image`);
  }
}
