import { hash } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import { der } from "../x509/der.ts";
import { DER_TAGS } from "../x509/der-reader.ts";
import {
  type CertificateSigner,
  contentInfoOf,
  SHA256_ALGORITHM,
  SIGNED_DATA,
  writeSignedData,
} from "../x509/signed-data.ts";
import { authenticodeDigest } from "./authenticode-digest.ts";
import {
  CERTIFICATE_ALIGNMENT_BYTES,
  signedAttributes,
  SPC_INDIRECT_DATA,
  spcIndirectData,
  writeWinCertificate,
} from "./authenticode-signature.ts";
import { parsePe } from "./parse-pe.ts";

/**
 * Signs an executable of UEFI for Secure Boot: one PKCS #7 signature in the certificate table ("Windows Authenticode Portable
 * Executable Signature Format"; UEFI 2.10, 32.2.2). The Authenticode digest stays as it is, so that what PCR 4 will be does, too.
 * An RSA key gives the same bytes each time. The checksum in the header stays that of the unsigned file: firmware looks at none.
 *
 * @throws AshlarError `invalid` for a file that is signed already, or as `writeSignedData`; `malformed` or `limit` as `parsePe`
 */
export function signPe(bytes: Uint8Array, signer: CertificateSigner): Uint8Array {
  const { certificateTable, certificateEntryOffset } = parsePe(bytes);
  if (certificateTable !== undefined || certificateEntryOffset === undefined) {
    const found = certificateTable === undefined ? "one without room for a signature" : "one that is signed";
    throw new AshlarError("invalid", `PE file: expected one that can be signed, found ${found}`);
  }
  const content = spcIndirectData(authenticodeDigest(bytes, "sha256"), SHA256_ALGORITHM);
  const attributes = signedAttributes(hash("sha256", contentOctets(content), "buffer"));
  const signedData = writeSignedData(
    contentInfoOf(SPC_INDIRECT_DATA, content),
    der(DER_TAGS.set, ...attributes),
    signer,
    attributes,
  );
  const entry = writeWinCertificate(contentInfoOf(SIGNED_DATA, signedData));
  const offset = Math.ceil(bytes.length / CERTIFICATE_ALIGNMENT_BYTES) * CERTIFICATE_ALIGNMENT_BYTES;
  const signed = Buffer.alloc(offset + entry.length);
  signed.set(bytes);
  signed.set(entry, offset);
  signed.writeUInt32LE(offset, certificateEntryOffset);
  signed.writeUInt32LE(entry.length, certificateEntryOffset + 4);
  return new Uint8Array(signed.buffer, signed.byteOffset, signed.length);
}

/** RFC 2315, 9.3: the digest is over the contents octets alone, without tag and length. */
function contentOctets(element: Uint8Array): Uint8Array {
  const first = element[1] ?? 0;
  return element.subarray(first < 0x80 ? 2 : 2 + (first & 0x7f));
}
