import { createPublicKey, type KeyObject } from "node:crypto";
import { AshlarError, messageOf } from "@ashlar/base";
import { nothing, objectIdentifier, sequence } from "./der.ts";
import { DER_TAGS, DerReader } from "./der-reader.ts";
import { readObjectIdentifier } from "./object-identifier.ts";

const RSA_ENCRYPTION = "1.2.840.113549.1.1.1";
/** RFC 4055, 4.1. The profile for TPM 1.2 asked for it, and OpenSSL makes no key of it. */
const RSAES_OAEP = "1.2.840.113549.1.1.7";

/**
 * A certificate's key. One that is marked for OAEP only is an RSA key like any other (RFC 4055, 4.1: the same RSAPublicKey).
 *
 * @throws AshlarError `malformed`, or `invalid` for a kind of key that is not known here
 */
export function certificateKeyOf(publicKeyInfo: Uint8Array): KeyObject {
  const outer = new DerReader(publicKeyInfo, "SubjectPublicKeyInfo");
  const info = outer.inner(DER_TAGS.sequence, "SubjectPublicKeyInfo");
  outer.end();
  const algorithm = readObjectIdentifier(info.inner(DER_TAGS.sequence, "algorithm"), "algorithm");
  const { whole } = info.element(DER_TAGS.bitString, "subjectPublicKey");
  info.end();
  const key =
    algorithm === RSAES_OAEP ? sequence(sequence(objectIdentifier(RSA_ENCRYPTION), nothing()), whole) : publicKeyInfo;
  try {
    return createPublicKey({ key: Buffer.from(key), format: "der", type: "spki" });
  } catch (error) {
    const message = `SubjectPublicKeyInfo: expected an RSA or ECC key, found algorithm ${algorithm}: ${messageOf(error)}`;
    throw new AshlarError("invalid", message, { cause: error });
  }
}
