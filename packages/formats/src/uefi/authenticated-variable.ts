import { AshlarError } from "@ashlar/base";
import { GUID_BYTES, guidToBytes } from "../gpt/guid.ts";
import { objectIdentifier, sequence } from "../x509/der.ts";
import { DATA } from "../ddi/detached-signature.ts";
import { type CertificateSigner, writeSignedData } from "../x509/signed-data.ts";
import { type KeyVariable, SECURE_BOOT_VENDORS } from "./secure-boot-variables.ts";

/** EFI_CERT_TYPE_PKCS7_GUID (UEFI 2.10, 32.2.4). */
const CERT_TYPE_PKCS7 = "4aafd29d-68df-49ee-8aa9-347d375665a7";
/** Non-volatile, for boot services and at run time, written with a signature that has a time (8.2, "Attributes"). */
const ATTRIBUTES = 0x01 | 0x02 | 0x04 | 0x20;
/** WIN_CERT_REVISION_2_0 and WIN_CERT_TYPE_EFI_GUID (32.2.4). */
const REVISION_2 = 0x0200;
const TYPE_EFI_GUID = 0x0ef1;
const TIME_BYTES = 16;
const CERTIFICATE_HEADER_BYTES = 8 + GUID_BYTES;

/**
 * What `SetVariable` takes for a variable that only the holder of a key may change: EFI_VARIABLE_AUTHENTICATION_2 and the content (UEFI
 * 2.10, 8.2.2). Firmware takes it as long as no PK is set, and later when it is newer than what is there.
 *
 * @param content an EFI_SIGNATURE_LIST
 * @param signer of PK for PK and KEK, of KEK for db
 * @throws AshlarError `invalid` for a year that is none, or as `writeSignedData`
 */
export function writeAuthenticatedVariable(
  name: KeyVariable,
  content: Uint8Array,
  at: Date,
  signer: CertificateSigner,
): Uint8Array {
  const time = efiTime(at);
  const attributes = Buffer.alloc(4);
  attributes.writeUInt32LE(ATTRIBUTES);
  const vendor = guidToBytes(SECURE_BOOT_VENDORS[name]);
  // 8.2.2: the name without its final NUL.
  const toBeSigned = Buffer.concat([Buffer.from(name, "utf16le"), vendor, attributes, time, content]);
  // Bare SignedData: older firmware knows no ContentInfo around it.
  const signature = writeSignedData(sequence(objectIdentifier(DATA)), toBeSigned, signer);
  const header = Buffer.alloc(CERTIFICATE_HEADER_BYTES);
  header.writeUInt32LE(CERTIFICATE_HEADER_BYTES + signature.length, 0);
  header.writeUInt16LE(REVISION_2, 4);
  header.writeUInt16LE(TYPE_EFI_GUID, 6);
  header.set(guidToBytes(CERT_TYPE_PKCS7), 8);
  return new Uint8Array(Buffer.concat([time, header, signature, content]));
}

/** EFI_TIME in UTC (8.3). What is finer than a second, the time zone and the filling must be zeros here. */
function efiTime(at: Date): Buffer {
  const year = at.getUTCFullYear();
  if (!(year >= 1900 && year <= 9999))
    throw new AshlarError("invalid", `EFI_TIME: expected the years 1900 to 9999, found ${year}`);
  const time = Buffer.alloc(TIME_BYTES);
  time.writeUInt16LE(year, 0);
  time.set([at.getUTCMonth() + 1, at.getUTCDate(), at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()], 2);
  return time;
}
