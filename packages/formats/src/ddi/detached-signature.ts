import { DER_TAGS, DerReader } from "../x509/der-reader.ts";
import {
  expectIdentifier,
  expectVersion1,
  readAlgorithm,
  readSignedData,
  SIGNATURE_DIGESTS,
  SIGNATURE_KEY_TYPES,
  type SignatureDigest,
  type SignatureKeyType,
} from "../x509/signed-data-reader.ts";

/** What a detached PKCS #7 signature without attributes says (RFC 2315, section 9; the same bytes are CMS, RFC 5652). */
export type DetachedSignature = {
  readonly digest: SignatureDigest;
  readonly keyType: SignatureKeyType;
  /** The DER of issuer and serial number, by which the signer's certificate is found. */
  readonly issuerAndSerial: Uint8Array;
  readonly signature: Uint8Array;
  /** The certificates that came along, as DER one after the other; they prove nothing. */
  readonly certificates: Uint8Array;
};

export const DATA = "1.2.840.113549.1.7.1";

/**
 * Parses the signature of a verity root hash as systemd-repart and `openssl smime -sign -noattr` make it: one signer, no
 * attributes, the content not inside.
 *
 * @throws AshlarError `malformed`
 */
export function parseDetachedSignature(bytes: Uint8Array): DetachedSignature {
  const outer = new DerReader(bytes, "PKCS #7 signature");
  const contentInfo = outer.inner(DER_TAGS.sequence, "ContentInfo");
  outer.end();
  const signedData = readSignedData(contentInfo);
  const digests = signedData.inner(DER_TAGS.set, "digestAlgorithms");
  const digest = readAlgorithm(digests, SIGNATURE_DIGESTS, "digestAlgorithms");
  digests.end();
  const content = signedData.inner(DER_TAGS.sequence, "contentInfo");
  expectIdentifier(content, DATA, "contentType (data)");
  content.end();
  const hasCertificates = signedData.isNext(DER_TAGS.context0);
  const certificates = hasCertificates
    ? signedData.element(DER_TAGS.context0, "certificates").content
    : new Uint8Array();
  const signers = signedData.inner(DER_TAGS.set, "signerInfos");
  signedData.end();
  const signer = signers.inner(DER_TAGS.sequence, "SignerInfo");
  signers.end();
  const parsed = parseSigner(signer);
  if (parsed.digest !== digest)
    signer.fail(`digestAlgorithm: expected ${digest} as said before, found ${parsed.digest}`);
  return { ...parsed, certificates };
}

function parseSigner(signer: DerReader): Omit<DetachedSignature, "certificates"> {
  expectVersion1(signer);
  const issuerAndSerial = signer.element(DER_TAGS.sequence, "issuerAndSerialNumber").whole;
  const digest = readAlgorithm(signer, SIGNATURE_DIGESTS, "digestAlgorithm");
  if (signer.isNext(DER_TAGS.context0)) signer.fail("authenticatedAttributes: expected none");
  const keyType = readAlgorithm(signer, SIGNATURE_KEY_TYPES, "digestEncryptionAlgorithm");
  const signature = signer.element(DER_TAGS.octetString, "encryptedDigest").content;
  signer.end();
  return { digest, keyType, issuerAndSerial, signature };
}
