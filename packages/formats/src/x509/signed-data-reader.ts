import { AshlarError } from "@ashlar/base";
import { objectIdentifier } from "./der.ts";
import { DER_TAGS, type DerReader } from "./der-reader.ts";
import { SIGNED_DATA } from "./signed-data.ts";

/** The pieces that all readers of PKCS #7 signatures share (RFC 2315, section 9; the same bytes are CMS, RFC 5652). */
export type SignatureDigest = "sha256" | "sha384" | "sha512";
export type SignatureKeyType = "rsa" | "ec";

/** RFC 5754, section 2. Weaker ones are not accepted. */
export const SIGNATURE_DIGESTS: ReadonlyMap<string, SignatureDigest> = new Map([
  [derOf("2.16.840.1.101.3.4.2.1"), "sha256"],
  [derOf("2.16.840.1.101.3.4.2.2"), "sha384"],
  [derOf("2.16.840.1.101.3.4.2.3"), "sha512"],
]);

/** RFC 5754, section 3: plain RSA keys with PKCS #1 v1.5 padding, and ECDSA with each digest. */
export const SIGNATURE_KEY_TYPES: ReadonlyMap<string, SignatureKeyType> = new Map([
  [derOf("1.2.840.113549.1.1.1"), "rsa"],
  [derOf("1.2.840.113549.1.1.11"), "rsa"],
  [derOf("1.2.840.113549.1.1.12"), "rsa"],
  [derOf("1.2.840.113549.1.1.13"), "rsa"],
  [derOf("1.2.840.10045.4.3.2"), "ec"],
  [derOf("1.2.840.10045.4.3.3"), "ec"],
  [derOf("1.2.840.10045.4.3.4"), "ec"],
]);

const VERSION_1 = "01";

/** What is in a ContentInfo that holds SignedData (RFC 2315, sections 7 and 9.1), after its version. */
export function readSignedData(contentInfo: DerReader): DerReader {
  expectIdentifier(contentInfo, SIGNED_DATA, "contentType (signedData)");
  const explicit = contentInfo.inner(DER_TAGS.context0, "content");
  contentInfo.end();
  const signedData = explicit.inner(DER_TAGS.sequence, "SignedData");
  explicit.end();
  expectVersion1(signedData);
  return signedData;
}

export function readAlgorithm<T>(reader: DerReader, known: ReadonlyMap<string, T>, field: string): T {
  const algorithm = reader.inner(DER_TAGS.sequence, field);
  const found = hex(algorithm.element(DER_TAGS.objectIdentifier, "algorithm").whole);
  if (algorithm.isNext(DER_TAGS.null)) algorithm.element(DER_TAGS.null, "parameters");
  algorithm.end();
  const value = known.get(found);
  if (value !== undefined) return value;
  throw new AshlarError("malformed", `PKCS #7 signature, ${field}: expected SHA-2 with RSA or ECDSA, found ${found}`);
}

export function expectVersion1(reader: DerReader): void {
  const version = hex(reader.element(DER_TAGS.integer, "version").content);
  if (version !== VERSION_1) reader.fail(`version: expected 1, found 0x${version.slice(0, 16)}`);
}

/** @param dotted the identifier that must come next */
export function expectIdentifier(reader: DerReader, dotted: string, field: string): void {
  const expected = derOf(dotted);
  const found = hex(reader.element(DER_TAGS.objectIdentifier, field).whole);
  if (found !== expected) reader.fail(`${field}: expected ${expected}, found ${found.slice(0, 64)}`);
}

function derOf(dotted: string): string {
  return hex(objectIdentifier(dotted));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
