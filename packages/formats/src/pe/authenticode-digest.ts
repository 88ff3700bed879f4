import { createHash } from "node:crypto";
import { parsePe } from "./parse-pe.ts";

export type AuthenticodeAlgorithm = "sha1" | "sha256" | "sha384" | "sha512";

/**
 * The digest that signatures of a PE file cover and that firmware measures into PCR 4 when it loads the file
 * ("Windows Authenticode Portable Executable Signature Format", "Calculating the PE Image Hash"; TCG PC Client Platform
 * Firmware Profile, EV_EFI_BOOT_SERVICES_APPLICATION): all bytes but the checksum, the certificate table's directory
 * entry and the table itself, filled with zeros to a multiple of 8.
 *
 * The format says to hash headers and then sections by file offset; since {@link parsePe} accepts no gaps, that is the
 * file from front to back.
 *
 * @throws AshlarError `malformed` or `limit` for anything that is not a PE32+ file
 */
export function authenticodeDigest(bytes: Uint8Array, algorithm: AuthenticodeAlgorithm): Uint8Array {
  const { checkSumOffset, certificateEntryOffset, certificateTable } = parsePe(bytes);
  const end = certificateTable?.offset ?? bytes.length;
  const hash = createHash(algorithm);
  hash.update(bytes.subarray(0, checkSumOffset));
  const afterCheckSum = checkSumOffset + 4;
  if (certificateEntryOffset === undefined) {
    hash.update(bytes.subarray(afterCheckSum, end));
  } else {
    hash.update(bytes.subarray(afterCheckSum, certificateEntryOffset));
    hash.update(bytes.subarray(certificateEntryOffset + 8, end));
  }
  hash.update(new Uint8Array((8 - (end % 8)) % 8));
  return new Uint8Array(hash.digest());
}
