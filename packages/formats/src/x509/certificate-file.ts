import { AshlarError } from "@ashlar/base";
import { DER_TAGS, DerReader } from "./der-reader.ts";
import { readObjectIdentifier } from "./object-identifier.ts";
import { SIGNED_DATA } from "./signed-data.ts";

/** Larger than all certificates of all TPM makers together. */
const MAX_FILE_BYTES: number = 4 * 1024 * 1024;
const MAX_CERTIFICATES = 1000;

/**
 * The certificates in a file of any form in which authorities publish them: PEM (RFC 7468), DER, and PKCS #7 as .p7b (RFC
 * 5652, 5.1; only its certificates are looked at). Not parsed further.
 *
 * @returns each one's DER
 * @throws AshlarError `limit`, `malformed`, or `invalid` for a file that is something else: what it was found to be
 */
export function certificatesInFile(file: Uint8Array, what: string): readonly Uint8Array[] {
  if (file.length > MAX_FILE_BYTES) throw new AshlarError("limit", `${what}: expected at most ${MAX_FILE_BYTES} bytes`);
  const bytes = unwrapStored(Buffer.from(file.buffer, file.byteOffset, file.length));
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
  if (bytes[1] === INDEFINITE_LENGTH) {
    throw new AshlarError("invalid", `${what}: expected DER, found BER, whose lengths are not given`, {
      hint: "convert it: openssl pkcs7 -inform DER -in FILE -print_certs",
    });
  }
  const outer = new DerReader(bytes, what);
  const inside = outer.inner(DER_TAGS.sequence, "file");
  if (!inside.isNext(DER_TAGS.objectIdentifier)) return certificatesInMemory(bytes, what);
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

/** What `tpm2_nvread` writes: certificates one after the other, then filling. */
function certificatesInMemory(bytes: Buffer, what: string): readonly Uint8Array[] {
  const reader = new DerReader(bytes, what);
  const found: Uint8Array[] = [];
  while (reader.isNext(DER_TAGS.sequence)) found.push(reader.element(DER_TAGS.sequence, "Certificate").whole);
  const length = found.reduce((sum, each) => sum + each.length, 0);
  const rest = bytes.subarray(length);
  if (FILLINGS.some((octet) => rest.every((each) => each === octet))) return found;
  throw new AshlarError("malformed", `${what} at offset ${length}: expected the end, found ${rest.length} more bytes`);
}

/** How files begin that people download by mistake, or have not unpacked. */
const MAGIC: readonly (readonly [Uint8Array, string])[] = [
  [Buffer.from("504b0304", "hex"), "a ZIP archive: unpack it"],
  [Buffer.from("MSCF"), "a Cabinet archive: unpack it (`cabextract`)"],
  [Buffer.from("1f8b", "hex"), "a gzip archive: unpack it"],
  [Buffer.from("fffe", "hex"), "text in UTF-16: save it as ASCII"],
];
/** Empty NV memory: Infineon's and others' is zeros, STMicroelectronics' is ones. */
const FILLINGS = [0x00, 0xff];
const TEXTS: readonly (readonly [RegExp, string])[] = [
  [/^$/u, "an empty file"],
  [/^\s*<(?:!doctype|html|\?xml)/iu, "a web page"],
  [/^\s*\{\s*"(?:pubhash|certificate)"/u, "a maker's answer in JSON: its member `certificate` is the DER in base64url"],
  [/^\s*3082[0-9a-f\s]+$/iu, "DER in hexadecimal: convert it (`xxd -r -p`)"],
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
 * makers define an index larger than what is in it: the rest is filling, and the next index may go on behind it.
 */
export function splitCertificates(bytes: Buffer): readonly Buffer[] {
  const found: Buffer[] = [];
  let rest = withoutFilling(unwrapStored(bytes));
  while (rest.length > 4 && rest[0] === DER_TAGS.sequence && rest[1] === TWO_LENGTH_BYTES) {
    const length = 4 + rest.readUInt16BE(2);
    found.push(rest.subarray(0, length));
    rest = withoutFilling(rest.subarray(length));
  }
  return found;
}

function withoutFilling(bytes: Buffer): Buffer {
  const end = bytes.findIndex((octet) => !FILLINGS.includes(octet));
  return end === -1 ? bytes.subarray(bytes.length) : bytes.subarray(end);
}

/** The long form of a length that has two bytes, and the form without one, which DER does not have (X.690, 8.1.3.5 and 8.1.3.6). */
const TWO_LENGTH_BYTES = 0x82;
const INDEFINITE_LENGTH = 0x80;

/** TCG_PCCLIENT_STORED_CERT of a whole certificate, then a size, then perhaps TCG_FULL_CERT. */
const STORED_CERTIFICATE = Buffer.from("100100", "hex");
const STORED_HEADER_BYTES = 5;
const FULL_CERTIFICATE = Buffer.from("1002", "hex");

/** Takes off what the specification for TPM 1.2 (PC Client Specific Implementation, 7.3.2) puts around a certificate in NV memory. */
function unwrapStored(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, 3).equals(STORED_CERTIFICATE) || bytes.length < STORED_HEADER_BYTES) return bytes;
  const inside = bytes.subarray(STORED_HEADER_BYTES, STORED_HEADER_BYTES + bytes.readUInt16BE(3));
  return inside.subarray(0, 2).equals(FULL_CERTIFICATE) ? inside.subarray(2) : inside;
}
