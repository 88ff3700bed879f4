import { AshlarError } from "@ashlar/base";
import { DER_TAGS, DerReader } from "./der-reader.ts";
import { readObjectIdentifier } from "./object-identifier.ts";

/** Larger than all certificates of all TPM makers together. */
const MAX_FILE_BYTES: number = 4 * 1024 * 1024;
const MAX_CERTIFICATES = 1000;

const SIGNED_DATA = "1.2.840.113549.1.7.2";

/**
 * The certificates in a file of any form in which authorities publish them: PEM (RFC 7468), DER, and PKCS #7 as .p7b (RFC
 * 5652, 5.1; only its certificates are looked at). Not parsed further.
 *
 * @returns each one's DER
 * @throws AshlarError `limit`, `malformed`, or `invalid` for a file that is something else: what it was found to be
 */
export function certificatesInFile(file: Uint8Array, what: string): readonly Uint8Array[] {
  if (file.length > MAX_FILE_BYTES) throw new AshlarError("limit", `${what}: expected at most ${MAX_FILE_BYTES} bytes`);
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  const found = bytes[0] === DER_TAGS.sequence ? certificatesInDer(bytes, what) : certificatesInPem(bytes, what);
  if (found.length > MAX_CERTIFICATES) {
    throw new AshlarError("limit", `${what}: expected at most ${MAX_CERTIFICATES} certificates, found ${found.length}`);
  }
  return found;
}

const PEM_BLOCK = /-----BEGIN (?<label>[A-Z0-9 ]+)-----(?<body>[^-]*)-----END [A-Z0-9 ]+-----/gu;

function certificatesInPem(bytes: Buffer, what: string): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  const others = new Set<string>();
  for (const { groups } of bytes.toString("latin1").matchAll(PEM_BLOCK)) {
    const { label = "", body = "" } = groups ?? {};
    const content = Buffer.from(body, "base64");
    if (label === "CERTIFICATE" || label === "X509 CERTIFICATE") found.push(content);
    else if (label === "PKCS7" || label === "CMS") found.push(...certificatesInDer(content, what));
    else others.add(label);
  }
  if (found.length > 0) return found;
  const isPem = others.size > 0;
  throw new AshlarError(
    "invalid",
    `${what}: expected certificates, found ${isPem ? `PEM of ${[...others].slice(0, 3).join(", ")}` : kindOfFile(bytes)}`,
    { hint: "give certificates as PEM, DER (.crt, .cer, .der) or PKCS #7 (.p7b)" },
  );
}

function certificatesInDer(bytes: Buffer, what: string): readonly Uint8Array[] {
  const outer = new DerReader(bytes, what);
  const inside = outer.inner(DER_TAGS.sequence, "file");
  if (!inside.isNext(DER_TAGS.objectIdentifier)) return [bytes];
  outer.end();
  const type = readObjectIdentifier(inside, "contentType");
  if (type !== SIGNED_DATA) {
    throw new AshlarError("invalid", `${what}: expected certificates, found PKCS #7 of another type (${type})`);
  }
  const content = inside.inner(DER_TAGS.context0, "content");
  const signedData = content.inner(DER_TAGS.sequence, "SignedData");
  signedData.element(DER_TAGS.integer, "version");
  signedData.element(DER_TAGS.set, "digestAlgorithms");
  signedData.element(DER_TAGS.sequence, "encapContentInfo");
  const found: Uint8Array[] = [];
  if (signedData.isNext(DER_TAGS.context0)) {
    const list = signedData.inner(DER_TAGS.context0, "certificates");
    while (!list.isAtEnd) {
      const { tag, whole } = list.any("CertificateChoices");
      if (tag === DER_TAGS.sequence) found.push(whole);
    }
  }
  if (found.length > 0) return found;
  throw new AshlarError("invalid", `${what}: expected certificates, found PKCS #7 without any`);
}

/** How files begin that people download by mistake, or have not unpacked. */
const MAGIC: readonly (readonly [Uint8Array, string])[] = [
  [Buffer.from("504b0304", "hex"), "a ZIP archive: unpack it"],
  [Buffer.from("MSCF"), "a Cabinet archive: unpack it (`cabextract`)"],
  [Buffer.from("1f8b", "hex"), "a gzip archive: unpack it"],
  [Buffer.from("fffe", "hex"), "text in UTF-16: save it as ASCII"],
];
const TEXTS: readonly (readonly [RegExp, string])[] = [
  [/^$/u, "an empty file"],
  [/^\s*<(?:!doctype|html|\?xml)/iu, "a web page"],
  [/^\s*MII[A-Za-z0-9+/=\s]+$/u, "base64 without the lines of PEM around it"],
  [/-----BEGIN /u, "PEM whose end is missing"],
];

function kindOfFile(bytes: Buffer): string {
  const magic = MAGIC.find(([start]) => bytes.subarray(0, start.length).equals(start));
  const text = bytes.subarray(0, 4096).toString("latin1");
  return magic?.[1] ?? TEXTS.find(([pattern]) => pattern.test(text))?.[1] ?? "something else";
}

/**
 * Certificates as a TPM's NV memory has them: DER sequences, one after the other (TCG EK Credential Profile 2.5, 2.2.1.5). Some
 * makers define an index larger than what is in it: the rest is filling.
 */
export function splitCertificates(bytes: Buffer): readonly Buffer[] {
  const found: Buffer[] = [];
  let rest = bytes;
  while (rest.length > 4 && rest[0] === DER_TAGS.sequence && rest[1] === TWO_LENGTH_BYTES) {
    const length = 4 + rest.readUInt16BE(2);
    found.push(rest.subarray(0, length));
    rest = rest.subarray(length);
  }
  return found;
}

/** The long form of a length that has two bytes (X.690, 8.1.3.5). */
const TWO_LENGTH_BYTES = 0x82;
