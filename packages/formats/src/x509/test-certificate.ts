/** For tests: certificates as TPM makers shape them, with keys of our own. */
import { createPublicKey, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import {
  bitString,
  boolean,
  der,
  generalizedTime,
  nothing,
  objectIdentifier,
  positiveInteger,
  sequence,
  set,
  utf8String,
} from "./der.ts";
import { DER_TAGS } from "./der-reader.ts";

export type TestCertificate = {
  readonly der: Buffer;
  readonly pem: string;
  readonly privateKey: KeyObject;
  readonly name: Buffer;
};

export type CertificateShape = {
  /** The common name, or none for an empty subject. */
  readonly commonName?: string;
  /** The whole subject instead, DER. */
  readonly subject?: Buffer;
  /** What it calls its issuer, where that is not the issuer's subject byte for byte. */
  readonly issuerName?: Buffer;
  readonly key?: "rsa" | "P-256" | "P-384" | KeyObject;
  /** Whose certificate it is instead, where the private key is not known here: a TPM's. */
  readonly publicKey?: KeyObject;
  /** Marked id-RSAES-OAEP, as the profile for TPM 1.2 had it. */
  readonly isOaep?: boolean;
  readonly issuer?: TestCertificate;
  /** Signed over SHA-1, as makers once did; by an RSA key. */
  readonly isSha1?: boolean;
  readonly extensions?: readonly Buffer[];
  /** `YYYYMMDDHHMMSSZ`. */
  readonly from?: string;
  readonly to?: string;
};

const CRITICAL = true;
let serial = 0;

export function testCertificate(shape: CertificateShape): TestCertificate {
  const {
    commonName,
    key = "P-256",
    issuer,
    extensions = [],
    from = "20200101000000Z",
    to = "20400101000000Z",
  } = shape;
  const privateKey = typeof key === "string" ? newKey(key) : key;
  const name = shape.subject ?? (commonName === undefined ? sequence() : testName([["2.5.4.3", 0x0c, commonName]]));
  const signer = issuer?.privateKey ?? privateKey;
  const algorithm =
    signer.asymmetricKeyType === "rsa"
      ? sequence(objectIdentifier(`1.2.840.113549.1.1.${shape.isSha1 === true ? 5 : 11}`), nothing())
      : sequence(objectIdentifier("1.2.840.10045.4.3.2"));
  const spki = (shape.publicKey ?? createPublicKey(privateKey)).export({ type: "spki", format: "der" });
  serial += 1;
  const toBeSigned = sequence(
    der(DER_TAGS.context0, positiveInteger(Uint8Array.of(2))),
    positiveInteger(Uint8Array.of(serial >> 16, serial >> 8, serial)),
    algorithm,
    shape.issuerName ?? issuer?.name ?? name,
    sequence(generalizedTime(from), generalizedTime(to)),
    name,
    shape.isOaep === true ? markedForOaep(spki) : spki,
    ...(extensions.length === 0 ? [] : [der(DER_TAGS.context3, sequence(...extensions))]),
  );
  const whole = sequence(
    toBeSigned,
    algorithm,
    bitString(sign(shape.isSha1 === true ? "sha1" : "sha256", toBeSigned, signer)),
  );
  const base64 = whole.toString("base64").replaceAll(/.{1,64}/gu, "$&\n");
  return { der: whole, pem: `-----BEGIN CERTIFICATE-----\n${base64}-----END CERTIFICATE-----\n`, privateKey, name };
}

/** A Name of these sets, each of attributes: type, tag of the text's kind, text. */
export function testName(
  ...sets: readonly (readonly (readonly [type: string, tag: number, text: string])[])[]
): Buffer {
  const valueOf = (tag: number, text: string): Buffer => {
    if (tag === 0x1e) return Buffer.from(text, "utf16le").swap16();
    return Buffer.from(text, tag === 0x0c ? "utf8" : "latin1");
  };
  return sequence(
    ...sets.map((attributes) =>
      set(...attributes.map(([type, tag, text]) => sequence(objectIdentifier(type), der(tag, valueOf(tag, text))))),
    ),
  );
}

/** An authority's extensions: cA, the path length, and the right to sign certificates (0x04), or another. */
export function authorityExtensions(pathLength?: number, keyUsage: number = 0x04): Buffer[] {
  const length = pathLength === undefined ? [] : [positiveInteger(Uint8Array.of(pathLength))];
  return [
    testExtension("2.5.29.19", sequence(boolean(true), ...length), CRITICAL),
    testExtension("2.5.29.15", bitString(Uint8Array.of(keyUsage), 1), CRITICAL),
  ];
}

/** As in TCG EK Credential Profile 2.5, 3.2: manufacturer, model and version in a critical subjectAltName. */
export function ekExtensions(): Buffer[] {
  const attribute = (last: number, text: string): Buffer =>
    set(sequence(objectIdentifier(`2.23.133.2.${last}`), utf8String(text)));
  const name = sequence(attribute(1, "id:41534800"), attribute(2, "Test TPM"), attribute(3, "id:00070002"));
  return [
    testExtension("2.5.29.17", sequence(der(DER_TAGS.context4, name)), CRITICAL),
    testExtension("2.5.29.19", sequence(), CRITICAL),
    testExtension("2.5.29.37", sequence(objectIdentifier("2.23.133.8.1"))),
  ];
}

/** As Azure's and Google's certificates for attestation keys: the key's usage, and Azure's extended one. */
export function akExtensions(extendedKeyUsage?: string, keyUsage: number = 0x80): Buffer[] {
  const uses = extendedKeyUsage === undefined ? [] : [sequence(objectIdentifier(extendedKeyUsage))];
  return [
    testExtension("2.5.29.19", sequence(), CRITICAL),
    testExtension("2.5.29.15", bitString(Uint8Array.of(keyUsage)), CRITICAL),
    ...uses.map((list) => testExtension("2.5.29.37", list)),
  ];
}

export function testExtension(identifier: string, content: Uint8Array, isCritical: boolean = false): Buffer {
  const flag = isCritical ? [boolean(true)] : [];
  return sequence(objectIdentifier(identifier), ...flag, der(DER_TAGS.octetString, content));
}

/** The authorityInfoAccess that says where the issuer's certificate is. */
export function issuerUrlExtension(url: string): Buffer {
  const place = sequence(objectIdentifier("1.3.6.1.5.5.7.48.2"), der(DER_TAGS.uri, Buffer.from(url)));
  return testExtension("1.3.6.1.5.5.7.1.1", sequence(place));
}

/** PKCS #7 with nothing but certificates, as in a .p7b file (RFC 5652, 5.1). */
export function testPkcs7(...certificates: readonly Uint8Array[]): Buffer {
  const signedData = sequence(
    positiveInteger(Uint8Array.of(1)),
    set(),
    sequence(objectIdentifier("1.2.840.113549.1.7.1")),
    der(DER_TAGS.context0, ...certificates),
    set(),
  );
  return sequence(objectIdentifier("1.2.840.113549.1.7.2"), der(DER_TAGS.context0, signedData));
}

function newKey(kind: "rsa" | "P-256" | "P-384"): KeyObject {
  if (kind === "rsa") return generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  return generateKeyPairSync("ec", { namedCurve: kind }).privateKey;
}

function markedForOaep(spki: Buffer): Buffer {
  const bytes = Buffer.from(spki);
  const rsaEncryption = objectIdentifier("1.2.840.113549.1.1.1");
  bytes[bytes.indexOf(rsaEncryption) + rsaEncryption.length - 1] = 7;
  return bytes;
}
