import { ByteReader } from "../byte-reader.ts";
import { MAX_DIGEST_BYTES } from "./hash-algorithm.ts";
import type { Credential } from "./make-credential.ts";

/** What tpm2-tools puts before a credential: its magic, then version 1 (tpm2-tools, lib/files.c). */
const HEADER: Uint8Array = Uint8Array.of(0xba, 0xdc, 0xc0, 0xde, 0, 0, 0, 1);
/** TPMS_ID_OBJECT: TPM2B(HMAC) and encrypted TPM2B(secret). */
const MAX_ID_OBJECT_BYTES: number = 2 * (2 + MAX_DIGEST_BYTES);
/** RSA-4096; a point of P-521 needs less. */
const MAX_ENCRYPTED_SECRET_BYTES = 512;

/** The file that `tpm2_activatecredential --credential-blob` reads. */
export function writeCredentialFile({ credentialBlob, encryptedSecret }: Credential): Uint8Array {
  return Buffer.concat([HEADER, credentialBlob, encryptedSecret]);
}

/** Parses a tpm2-tools credential file; what is inside its two parts stays unread. */
export function parseCredentialFile(bytes: Uint8Array): Credential {
  const reader = new ByteReader(bytes, "tpm2-tools credential file", "big-endian");
  const header = reader.bytes(HEADER.length, "header");
  if (header.some((byte, index) => byte !== HEADER[index])) reader.fail("header: expected BADCC0DE 00000001");
  const credentialBlob = readSized(reader, "credentialBlob", MAX_ID_OBJECT_BYTES, bytes);
  const encryptedSecret = readSized(reader, "secret", MAX_ENCRYPTED_SECRET_BYTES, bytes);
  reader.end();
  return { credentialBlob, encryptedSecret };
}

/** A TPM2B with its size, as the TPM takes it. */
function readSized(reader: ByteReader, field: string, maxBytes: number, bytes: Uint8Array): Uint8Array {
  const start = reader.offset;
  const { length } = reader.sized16(field);
  if (length === 0 || length > maxBytes) reader.fail(`${field}: expected 1 to ${maxBytes} bytes, found ${length}`);
  return bytes.subarray(start, reader.offset);
}
