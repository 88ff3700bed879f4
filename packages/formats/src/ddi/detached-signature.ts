import { AshlarError } from "@ashlar/base";
import { objectIdentifier, sequence } from "../x509/der.ts";
import { DER_TAGS, DerReader } from "../x509/der-reader.ts";

/** What a detached PKCS #7 signature without attributes says (RFC 2315, section 9; the same bytes are CMS, RFC 5652). */
export type DetachedSignature = {
  readonly digest: SignatureDigest;
  readonly keyType: "rsa" | "ec";
  /** The DER of issuer and serial number, by which the signer's certificate is found. */
  readonly issuerAndSerial: Uint8Array;
  readonly signature: Uint8Array;
  /** The certificates that came along, as DER one after the other; they prove nothing. */
  readonly certificates: Uint8Array;
};

export type SignatureDigest = "sha256" | "sha384" | "sha512";

const SIGNED_DATA = oid("1.2.840.113549.1.7.2");
const DATA = oid("1.2.840.113549.1.7.1");

/** RFC 5754, section 2. Weaker ones are not accepted. */
const DIGESTS: ReadonlyMap<string, SignatureDigest> = new Map([
  [oid("2.16.840.1.101.3.4.2.1"), "sha256"],
  [oid("2.16.840.1.101.3.4.2.2"), "sha384"],
  [oid("2.16.840.1.101.3.4.2.3"), "sha512"],
]);

/** RFC 5754, section 3: plain RSA keys with PKCS #1 v1.5 padding, and ECDSA with each digest. */
const KEY_TYPES: ReadonlyMap<string, DetachedSignature["keyType"]> = new Map([
  [oid("1.2.840.113549.1.1.1"), "rsa"],
  [oid("1.2.840.113549.1.1.11"), "rsa"],
  [oid("1.2.840.113549.1.1.12"), "rsa"],
  [oid("1.2.840.113549.1.1.13"), "rsa"],
  [oid("1.2.840.10045.4.3.2"), "ec"],
  [oid("1.2.840.10045.4.3.3"), "ec"],
  [oid("1.2.840.10045.4.3.4"), "ec"],
]);

const VERSION_1 = "01";

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
  expectOid(contentInfo, SIGNED_DATA, "contentType (signedData)");
  const explicit = contentInfo.inner(DER_TAGS.context0, "content");
  contentInfo.end();
  const signedData = explicit.inner(DER_TAGS.sequence, "SignedData");
  explicit.end();

  expectVersion1(signedData);
  const digests = signedData.inner(DER_TAGS.set, "digestAlgorithms");
  const digest = readAlgorithm(digests, DIGESTS, "digestAlgorithms");
  digests.end();
  const content = signedData.inner(DER_TAGS.sequence, "contentInfo");
  expectOid(content, DATA, "contentType (data)");
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
  const digest = readAlgorithm(signer, DIGESTS, "digestAlgorithm");
  if (signer.isNext(DER_TAGS.context0)) signer.fail("authenticatedAttributes: expected none");
  const keyType = readAlgorithm(signer, KEY_TYPES, "digestEncryptionAlgorithm");
  const signature = signer.element(DER_TAGS.octetString, "encryptedDigest").content;
  signer.end();
  return { digest, keyType, issuerAndSerial, signature };
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

function readAlgorithm<T>(reader: DerReader, known: ReadonlyMap<string, T>, field: string): T {
  const algorithm = reader.inner(DER_TAGS.sequence, field);
  const found = hex(algorithm.element(DER_TAGS.objectIdentifier, "algorithm").whole);
  if (algorithm.isNext(DER_TAGS.null)) algorithm.element(DER_TAGS.null, "parameters");
  algorithm.end();
  const value = known.get(found);
  if (value !== undefined) return value;
  throw new AshlarError("malformed", `PKCS #7 signature, ${field}: expected SHA-2 with RSA or ECDSA, found ${found}`);
}

function expectVersion1(reader: DerReader): void {
  const version = hex(reader.element(DER_TAGS.integer, "version").content);
  if (version !== VERSION_1) reader.fail(`version: expected 1, found 0x${version.slice(0, 16)}`);
}

function expectOid(reader: DerReader, expected: string, field: string): void {
  const found = hex(reader.element(DER_TAGS.objectIdentifier, field).whole);
  if (found !== expected) reader.fail(`${field}: expected ${expected}, found ${found.slice(0, 64)}`);
}

function oid(dotted: string): string {
  return hex(objectIdentifier(dotted));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
