import { AshlarError } from "@ashlar/base";
import { ByteReader } from "../byte-reader.ts";
import { der, objectIdentifier, sequence } from "../x509/der.ts";
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
import { readObjectIdentifier } from "../x509/object-identifier.ts";

/** One signature of a PE file ("Windows Authenticode Portable Executable Signature Format"). */
export type AuthenticodeSignature = {
  /** Of the file, as the signature has it. */
  readonly imageDigest: Uint8Array;
  readonly digest: SignatureDigest;
  readonly keyType: SignatureKeyType;
  /** The DER of issuer and serial number, by which the signer's certificate is found. */
  readonly issuerAndSerial: Uint8Array;
  /** The content that the attributes' digest is over. */
  readonly content: Uint8Array;
  /** From the authenticated attributes. */
  readonly contentDigest: Uint8Array;
  /** What the signature is over: the attributes as a SET. */
  readonly toBeSigned: Uint8Array;
  readonly signature: Uint8Array;
};

/** Object identifiers of the format's chapter "Object Identifiers". */
export const SPC_INDIRECT_DATA = "1.3.6.1.4.1.311.2.1.4";
const SPC_PE_IMAGE_DATA = "1.3.6.1.4.1.311.2.1.15";
/** PKCS #9 (RFC 2985). */
export const CONTENT_TYPE = "1.2.840.113549.1.9.3";
export const MESSAGE_DIGEST = "1.2.840.113549.1.9.4";

/** WIN_CERTIFICATE ("PE Format", "The Attribute Certificate Table"): its header, WIN_CERT_REVISION_2_0 and WIN_CERT_TYPE_PKCS_SIGNED_DATA. */
const HEADER_BYTES = 8;
const REVISION_2 = 0x0200;
const PKCS_SIGNED_DATA = 0x0002;
export const CERTIFICATE_ALIGNMENT_BYTES = 8;
const MAX_SIGNATURES = 16;
const MAX_ATTRIBUTES = 16;

/** An entry of the certificate table, filled with zeros to a multiple of 8. */
export function writeWinCertificate(signature: Uint8Array): Buffer {
  const length = HEADER_BYTES + signature.length;
  const entry = Buffer.alloc(Math.ceil(length / CERTIFICATE_ALIGNMENT_BYTES) * CERTIFICATE_ALIGNMENT_BYTES);
  entry.writeUInt32LE(length, 0);
  entry.writeUInt16LE(REVISION_2, 4);
  entry.writeUInt16LE(PKCS_SIGNED_DATA, 6);
  entry.set(signature, HEADER_BYTES);
  return entry;
}

/**
 * The signatures in a certificate table.
 *
 * @throws AshlarError `malformed`, or `limit`
 */
export function parseCertificateTable(table: Uint8Array): AuthenticodeSignature[] {
  const reader = new ByteReader(table, "certificate table", "little-endian");
  const signatures: AuthenticodeSignature[] = [];
  while (reader.remaining > 0) {
    if (signatures.length === MAX_SIGNATURES) {
      throw new AshlarError("limit", `certificate table: expected at most ${MAX_SIGNATURES} signatures`);
    }
    const length = reader.u32("dwLength");
    if (length < HEADER_BYTES) reader.fail(`dwLength: expected at least ${HEADER_BYTES}, found ${length}`);
    const [revision, type] = [reader.u16("wRevision"), reader.u16("wCertificateType")];
    if (revision !== REVISION_2 || type !== PKCS_SIGNED_DATA) {
      reader.fail(`expected revision 0x200 and type 2 (PKCS #7), found 0x${revision.toString(16)} and ${type}`);
    }
    signatures.push(parseAuthenticodeSignature(reader.bytes(length - HEADER_BYTES, "bCertificate")));
    const filling =
      (CERTIFICATE_ALIGNMENT_BYTES - (length % CERTIFICATE_ALIGNMENT_BYTES)) % CERTIFICATE_ALIGNMENT_BYTES;
    reader.skip(filling, "filling");
  }
  return signatures;
}

/** What a signature is over: SpcIndirectDataContent with the file's digest. */
export function spcIndirectData(imageDigest: Uint8Array, algorithm: Uint8Array): Buffer {
  // SpcPeImageData: no flags, and a file whose name is the text that the format asks for, of no meaning.
  const obsolete = Buffer.from("<<<Obsolete>>>", "utf16le").swap16();
  const file = der(DER_TAGS.context0, der(0xa2, der(0x80, obsolete)));
  const imageData = sequence(der(DER_TAGS.bitString, Uint8Array.of(0)), file);
  const digestInfo = sequence(algorithm, der(DER_TAGS.octetString, imageDigest));
  return sequence(sequence(objectIdentifier(SPC_PE_IMAGE_DATA), imageData), digestInfo);
}

function parseAuthenticodeSignature(bytes: Uint8Array): AuthenticodeSignature {
  const outer = new DerReader(bytes, "Authenticode signature");
  const { whole } = outer.element(DER_TAGS.sequence, "ContentInfo");
  // Some tools count the filling in.
  const rest = bytes.subarray(whole.length);
  if (rest.length >= CERTIFICATE_ALIGNMENT_BYTES || rest.some((octet) => octet !== 0)) {
    outer.fail(`expected zeros up to the next multiple of 8, found ${rest.length} more bytes`);
  }
  const signedData = readSignedData(
    new DerReader(whole, "Authenticode signature").inner(DER_TAGS.sequence, "ContentInfo"),
  );
  signedData.element(DER_TAGS.set, "digestAlgorithms");
  const content = parseContent(signedData.inner(DER_TAGS.sequence, "contentInfo"));
  if (signedData.isNext(DER_TAGS.context0)) signedData.element(DER_TAGS.context0, "certificates");
  if (signedData.isNext(DER_TAGS.context1)) signedData.element(DER_TAGS.context1, "crls");
  const signers = signedData.inner(DER_TAGS.set, "signerInfos");
  signedData.end();
  const signer = parseSigner(signers.inner(DER_TAGS.sequence, "SignerInfo"));
  signers.end();
  if (signer.digest !== content.digest) {
    throw new AshlarError(
      "malformed",
      `Authenticode signature: expected one digest algorithm, found ${content.digest} and ${signer.digest}`,
    );
  }
  return { ...content, ...signer };
}

function parseContent(contentInfo: DerReader): Pick<AuthenticodeSignature, "content" | "imageDigest" | "digest"> {
  expectIdentifier(contentInfo, SPC_INDIRECT_DATA, "contentType (SpcIndirectDataContent)");
  const explicit = contentInfo.inner(DER_TAGS.context0, "content");
  contentInfo.end();
  const { content } = explicit.element(DER_TAGS.sequence, "SpcIndirectDataContent");
  explicit.end();
  const reader = new DerReader(content, "SpcIndirectDataContent");
  const data = reader.inner(DER_TAGS.sequence, "data");
  expectIdentifier(data, SPC_PE_IMAGE_DATA, "type (SpcPeImageData)");
  const info = reader.inner(DER_TAGS.sequence, "messageDigest");
  reader.end();
  const digest = readAlgorithm(info, SIGNATURE_DIGESTS, "digestAlgorithm");
  const imageDigest = info.element(DER_TAGS.octetString, "digest").content;
  info.end();
  return { content, imageDigest, digest };
}

function parseSigner(signer: DerReader): Omit<AuthenticodeSignature, "content" | "imageDigest"> {
  expectVersion1(signer);
  const issuerAndSerial = signer.element(DER_TAGS.sequence, "issuerAndSerialNumber").whole;
  const digest = readAlgorithm(signer, SIGNATURE_DIGESTS, "digestAlgorithm");
  const attributes = signer.element(DER_TAGS.context0, "authenticatedAttributes").content;
  const contentDigest = parseAttributes(attributes);
  const keyType = readAlgorithm(signer, SIGNATURE_KEY_TYPES, "digestEncryptionAlgorithm");
  const signature = signer.element(DER_TAGS.octetString, "encryptedDigest").content;
  // A time-stamp of somebody else's, which nothing here rests on.
  if (signer.isNext(DER_TAGS.context1)) signer.element(DER_TAGS.context1, "unauthenticatedAttributes");
  signer.end();
  // RFC 2315, 9.3: signed as a SET OF, not with the tag that it has here.
  return { issuerAndSerial, digest, contentDigest, keyType, signature, toBeSigned: der(DER_TAGS.set, attributes) };
}

/** The content's digest; other attributes (a time, a program's name) are of no use here. */
function parseAttributes(bytes: Uint8Array): Uint8Array {
  const attributes = new DerReader(bytes, "authenticatedAttributes");
  let contentDigest: Uint8Array | undefined;
  let hasType = false;
  for (let count = 0; !attributes.isAtEnd; count += 1) {
    if (count === MAX_ATTRIBUTES) attributes.fail(`expected at most ${MAX_ATTRIBUTES} attributes`);
    const attribute = attributes.inner(DER_TAGS.sequence, "Attribute");
    const type = readObjectIdentifier(attribute, "type");
    const values = attribute.inner(DER_TAGS.set, "values");
    attribute.end();
    if (type === CONTENT_TYPE) {
      expectIdentifier(values, SPC_INDIRECT_DATA, "contentType attribute");
      hasType = true;
    } else if (type === MESSAGE_DIGEST) {
      if (contentDigest !== undefined) attributes.fail("messageDigest: expected it once");
      contentDigest = values.element(DER_TAGS.octetString, "messageDigest").content;
      values.end();
    }
  }
  if (contentDigest !== undefined && hasType) return contentDigest;
  return attributes.fail("expected contentType and messageDigest");
}

/** Both attributes of a signature by us, in DER's order. */
export function signedAttributes(contentDigest: Uint8Array): Buffer[] {
  const attribute = (type: string, value: Uint8Array): Buffer =>
    sequence(objectIdentifier(type), der(DER_TAGS.set, value));
  const attributes = [
    attribute(CONTENT_TYPE, objectIdentifier(SPC_INDIRECT_DATA)),
    attribute(MESSAGE_DIGEST, der(DER_TAGS.octetString, contentDigest)),
  ];
  return attributes.toSorted((a, b) => Buffer.compare(a, b));
}
