import { DER_TAGS, DerReader } from "./der-reader.ts";
import { readName, type DistinguishedName } from "./distinguished-name.ts";
import { readObjectIdentifier } from "./object-identifier.ts";

export type CertificateExtension = { readonly isCritical: boolean; readonly value: Uint8Array };

/** What is in a certificate (RFC 5280, 4.1). Its signature is not checked here. */
export type CertificateFields = {
  /** Object identifier of the algorithm that it is signed with. */
  readonly signatureAlgorithm: string;
  readonly issuer: DistinguishedName;
  /** Empty in many EK certificates: the subjectAltName has it (TCG EK Credential Profile 2.5, 3.2.9). */
  readonly subject: DistinguishedName;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKeyInfo: Uint8Array;
  /** By object identifier. */
  readonly extensions: ReadonlyMap<string, CertificateExtension>;
};

const MAX_EXTENSIONS = 64;

/** @throws AshlarError `malformed` */
export function parseCertificateFields(der: Uint8Array): CertificateFields {
  const outer = new DerReader(der, "certificate");
  const certificate = outer.inner(DER_TAGS.sequence, "Certificate");
  outer.end();
  const body = certificate.inner(DER_TAGS.sequence, "TBSCertificate");
  if (body.isNext(DER_TAGS.context0)) body.element(DER_TAGS.context0, "version");
  body.element(DER_TAGS.integer, "serialNumber");
  body.element(DER_TAGS.sequence, "signature");
  const issuer = readName(body, "issuer");
  const validity = body.inner(DER_TAGS.sequence, "validity");
  const [notBefore, notAfter] = [readTime(validity, "notBefore"), readTime(validity, "notAfter")];
  validity.end();
  const subject = readName(body, "subject");
  const publicKeyInfo = body.element(DER_TAGS.sequence, "subjectPublicKeyInfo").whole;
  // The unique identifiers of issuer and subject, which nobody uses (4.1.2.8).
  while (!body.isAtEnd && !body.isNext(DER_TAGS.context3)) body.any("unique identifier");
  const extensions = body.isAtEnd ? new Map<string, CertificateExtension>() : readExtensions(body);
  body.end();
  const algorithm = certificate.inner(DER_TAGS.sequence, "signatureAlgorithm");
  const signatureAlgorithm = readObjectIdentifier(algorithm, "algorithm");
  certificate.element(DER_TAGS.bitString, "signatureValue");
  certificate.end();
  return { signatureAlgorithm, issuer, subject, notBefore, notAfter, publicKeyInfo, extensions };
}

function readExtensions(body: DerReader): Map<string, CertificateExtension> {
  const extensions = new Map<string, CertificateExtension>();
  const wrapped = body.inner(DER_TAGS.context3, "extensions");
  const list = wrapped.inner(DER_TAGS.sequence, "Extensions");
  wrapped.end();
  while (!list.isAtEnd) {
    const extension = list.inner(DER_TAGS.sequence, "Extension");
    const identifier = readObjectIdentifier(extension, "extnID");
    const isCritical = extension.isNext(DER_TAGS.boolean) && readBoolean(extension, "critical");
    const value = extension.element(DER_TAGS.octetString, "extnValue").content;
    extension.end();
    // 4.2: a certificate must not include more than one instance of an extension.
    if (extensions.has(identifier)) list.fail(`expected each extension once, found ${identifier} again`);
    if (extensions.size === MAX_EXTENSIONS) list.fail(`expected at most ${MAX_EXTENSIONS} extensions`);
    extensions.set(identifier, { isCritical, value });
  }
  return extensions;
}

/** Any octet but zero is true: some makers write 0x01. */
export function readBoolean(reader: DerReader, field: string): boolean {
  const { content } = reader.element(DER_TAGS.boolean, field);
  if (content.length !== 1) reader.fail(`${field}: expected one octet, found ${content.length}`);
  return content[0] !== 0;
}

const UTC_TIME = /^(?<year>[0-9]{2})(?<rest>[0-9]{10})Z$/u;
const GENERALIZED_TIME = /^(?<year>[0-9]{4})(?<rest>[0-9]{10})Z$/u;

/** RFC 5280, 4.1.2.5: always with seconds and in UTC; two digits of a year are from 1950 to 2049. */
function readTime(reader: DerReader, field: string): Date {
  const isShort = reader.isNext(DER_TAGS.utcTime);
  const { content } = reader.element(isShort ? DER_TAGS.utcTime : DER_TAGS.generalizedTime, field);
  const text = Buffer.from(content).toString("latin1");
  const { year = "", rest = "" } = (isShort ? UTC_TIME : GENERALIZED_TIME).exec(text)?.groups ?? {};
  const fullYear = isShort ? (Number(year) < 50 ? `20${year}` : `19${year}`) : year;
  const [month, day, hour, minute, second] = rest.match(/../gu) ?? [];
  const date = new Date(`${fullYear}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(date.getTime())) reader.fail(`${field}: expected a time in UTC, found ${JSON.stringify(text)}`);
  return date;
}
