import { type KeyObject, sign, type X509Certificate } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import { der, nothing, objectIdentifier, positiveInteger, sequence, set } from "./der.ts";
import { DER_TAGS, DerReader } from "./der-reader.ts";

export type CertificateSigner = { readonly privateKey: KeyObject; readonly certificate: X509Certificate };

export const SIGNED_DATA = "1.2.840.113549.1.7.2";
const SHA256 = "2.16.840.1.101.3.4.2.1";
const RSA = "1.2.840.113549.1.1.1";
const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";

/** AlgorithmIdentifier of SHA-256 (RFC 5754, 2: with NULL, as everybody writes it). */
export const SHA256_ALGORITHM: Uint8Array = sequence(objectIdentifier(SHA256), nothing());

/**
 * PKCS #7 SignedData by one signer, whose certificate comes along (RFC 2315, 9), without the ContentInfo around it. Nothing in it
 * depends on the time, so that an RSA key (PKCS #1 v1.5) signs the same content in the same bytes.
 *
 * @param contentInfo the DER of what is signed: of a type alone where the content is detached
 * @param toBeSigned what the signature is over: the content, or the attributes as a SET
 * @param attributes the authenticated attributes, DER
 * @throws AshlarError `invalid` when key and certificate do not belong together, or are of another kind than RSA or EC
 */
export function writeSignedData(
  contentInfo: Uint8Array,
  toBeSigned: Uint8Array,
  { privateKey, certificate }: CertificateSigner,
  attributes: readonly Uint8Array[] = [],
): Buffer {
  const type = privateKey.asymmetricKeyType;
  if (!certificate.checkPrivateKey(privateKey) || (type !== "rsa" && type !== "ec")) {
    throw new AshlarError(
      "invalid",
      `expected the RSA or EC key of the certificate ${certificate.subject}, found another`,
    );
  }
  const one = positiveInteger(Uint8Array.of(1));
  const algorithm =
    type === "rsa" ? sequence(objectIdentifier(RSA), nothing()) : sequence(objectIdentifier(ECDSA_WITH_SHA256));
  const signature = der(DER_TAGS.octetString, sign("sha256", toBeSigned, privateKey));
  const authenticated = attributes.length === 0 ? [] : [der(DER_TAGS.context0, ...attributes)];
  const signer = sequence(
    one,
    issuerAndSerialOf(certificate.raw),
    SHA256_ALGORITHM,
    ...authenticated,
    algorithm,
    signature,
  );
  return sequence(one, set(SHA256_ALGORITHM), contentInfo, der(DER_TAGS.context0, certificate.raw), set(signer));
}

/** ContentInfo (RFC 2315, 7). */
export function contentInfoOf(type: string, content: Uint8Array): Buffer {
  return sequence(objectIdentifier(type), der(DER_TAGS.context0, content));
}

/** The DER of a certificate's issuer and serial number (RFC 5280, section 4.1), in the form of PKCS #7. */
export function issuerAndSerialOf(certificate: Uint8Array): Uint8Array {
  const fields = new DerReader(certificate, "certificate")
    .inner(DER_TAGS.sequence, "Certificate")
    .inner(DER_TAGS.sequence, "tbsCertificate");
  if (fields.isNext(DER_TAGS.context0)) fields.element(DER_TAGS.context0, "version");
  const serial = fields.element(DER_TAGS.integer, "serialNumber").whole;
  fields.element(DER_TAGS.sequence, "signature");
  const issuer = fields.element(DER_TAGS.sequence, "issuer").whole;
  return sequence(issuer, serial);
}
