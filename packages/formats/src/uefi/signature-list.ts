import { AshlarError } from "@ashlar/base";
import { ByteReader } from "../byte-reader.ts";
import { GUID_BYTES, guidFromBytes, guidToBytes, type Guid } from "../gpt/guid.ts";

/** One entry of PK, KEK, db or dbx: a certificate, or the digest of a program (UEFI 2.10, 32.4.1, EFI_SIGNATURE_DATA). */
export type SignatureEntry = {
  /** What kind of data it is. */
  readonly type: Guid;
  /** Who has put it there: for people. */
  readonly owner: Guid;
  readonly data: Uint8Array;
};

/** Types of entries (32.4.1): an X.509 certificate in DER, and a program's Authenticode SHA-256 digest. */
export const SIGNATURE_TYPES = {
  x509: "a5c059a1-94e4-4aa7-87b5-ab155c2bf072",
  sha256: "c1c41626-504c-4092-aca9-41f936934328",
} as const;

const LIST_HEADER_BYTES = GUID_BYTES + 12;
const MAX_LIST_BYTES = 256 * 1024;
/** Real dbx variables have a few hundred. */
const MAX_ENTRIES = 4096;

/** An EFI_SIGNATURE_LIST with one certificate. */
export function writeCertificateList(certificate: Uint8Array, owner: Guid): Uint8Array {
  const list = Buffer.alloc(LIST_HEADER_BYTES + GUID_BYTES + certificate.length);
  list.set(guidToBytes(SIGNATURE_TYPES.x509));
  list.writeUInt32LE(list.length, GUID_BYTES);
  // SignatureHeaderSize is 0: X.509 has none.
  list.writeUInt32LE(GUID_BYTES + certificate.length, GUID_BYTES + 8);
  list.set(guidToBytes(owner), LIST_HEADER_BYTES);
  list.set(certificate, LIST_HEADER_BYTES + GUID_BYTES);
  return new Uint8Array(list);
}

/**
 * The entries of all lists in such a variable, in order (EFI_SIGNATURE_LIST).
 *
 * @throws AshlarError `malformed` or `limit`
 */
export function parseSignatureLists(bytes: Uint8Array): SignatureEntry[] {
  if (bytes.length > MAX_LIST_BYTES) {
    throw new AshlarError(
      "limit",
      `EFI_SIGNATURE_LIST: expected at most ${MAX_LIST_BYTES} bytes, found ${bytes.length}`,
    );
  }
  const entries: SignatureEntry[] = [];
  const reader = new ByteReader(bytes, "EFI_SIGNATURE_LIST", "little-endian");
  while (reader.remaining > 0) {
    const type = guidFromBytes(reader.bytes(GUID_BYTES, "SignatureType"));
    const listSize = reader.u32("SignatureListSize");
    const headerSize = reader.u32("SignatureHeaderSize");
    const size = reader.u32("SignatureSize");
    const dataBytes = listSize - LIST_HEADER_BYTES - headerSize;
    if (size <= GUID_BYTES || dataBytes < 0 || dataBytes % size !== 0) {
      reader.fail(
        `expected whole signatures of more than ${GUID_BYTES} bytes, found size ${size} in a list of ${listSize}`,
      );
    }
    reader.skip(headerSize, "SignatureHeader");
    for (let count = dataBytes / size; count > 0; count -= 1) {
      if (entries.length === MAX_ENTRIES) {
        throw new AshlarError("limit", `EFI_SIGNATURE_LIST: expected at most ${MAX_ENTRIES} signatures`);
      }
      const owner = guidFromBytes(reader.bytes(GUID_BYTES, "SignatureOwner"));
      entries.push({ type, owner, data: reader.bytes(size - GUID_BYTES, "SignatureData") });
    }
  }
  return entries;
}
