import { type KeyObject, createPublicKey, hash, sign } from "node:crypto";
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
  utcTime,
  utf8String,
} from "./der.ts";

const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
const RSA_WITH_SHA256 = "1.2.840.113549.1.1.11";
const COMMON_NAME = "2.5.4.3";
const SUBJECT_KEY_IDENTIFIER = "2.5.29.14";
const KEY_USAGE = "2.5.29.15";
const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
const BASIC_CONSTRAINTS = "2.5.29.19";
/** RFC 5280, 4.1: the version and the extensions are the context tags 0 and 3; a SAN's dNSName is tag 2. */
const VERSION_TAG = 0xa0;
const EXTENSIONS_TAG = 0xa3;
const DNS_NAME_TAG = 0x82;
const OCTET_STRING_TAG = 0x04;
const X509_VERSION_3 = 2;
/** RFC 5280, 4.2.1.3: digitalSignature is bit 0, the other seven of the octet are not used. */
const DIGITAL_SIGNATURE = Uint8Array.of(0x80);

/**
 * A self-signed X.509 certificate (RFC 5280) for a P-256 key, DER. TLS wants one; it says nothing, since the key is
 * vouched for by a quote. So it has no expiry either: a node without a clock must be able to answer.
 *
 * Written here because the library for it (@peculiar/x509) more than doubles the time until the agent answers
 * (measured under emulation: 0.47 s more to load it, against 0.7 s for Node with its own crypto).
 */
export function selfSignedCertificate(privateKey: KeyObject, name: string, serialNumber: Uint8Array): Buffer {
  const dnsName = sequence(der(DNS_NAME_TAG, Buffer.from(name, "latin1")));
  return certificateOf({ privateKey, name, serialNumber, extensions: [extension(SUBJECT_ALTERNATIVE_NAME, dnsName)] });
}

/** The same in PEM (RFC 7468). */
export function selfSignedCertificatePem(privateKey: KeyObject, name: string, serialNumber: Uint8Array): string {
  return toPem(selfSignedCertificate(privateKey, name, serialNumber));
}

/**
 * A self-signed certificate for a key that signs verity root hashes (PKCS #7), PEM. It names issuer and serial number,
 * by which such a signature finds it, and is of no other use: no authority, digital signatures only. It does not expire,
 * because what was signed is checked on nodes at every boot, whatever their clock says.
 *
 * @param privateKey RSA or P-256
 */
export function signingCertificatePem(privateKey: KeyObject, name: string, serialNumber: Uint8Array): string {
  const publicKey = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const extensions = [
    // RFC 5280, 4.2.1.9: cA is false by default, so that it must not be written.
    extension(BASIC_CONSTRAINTS, sequence(), "critical"),
    extension(KEY_USAGE, bitString(DIGITAL_SIGNATURE, 7), "critical"),
    // RFC 7093, 2 (4): any digest of the key may identify it.
    extension(SUBJECT_KEY_IDENTIFIER, der(OCTET_STRING_TAG, hash("sha256", publicKey, "buffer").subarray(0, 20))),
  ];
  return toPem(certificateOf({ privateKey, name, serialNumber, extensions }));
}

function certificateOf(certificate: {
  readonly privateKey: KeyObject;
  readonly name: string;
  readonly serialNumber: Uint8Array;
  readonly extensions: readonly Uint8Array[];
}): Buffer {
  const { privateKey, name, serialNumber, extensions } = certificate;
  // RFC 5754, 3.2: RSA's algorithm identifier has NULL parameters; RFC 5758, 3.2: ECDSA's has none.
  const algorithm =
    privateKey.asymmetricKeyType === "rsa"
      ? sequence(objectIdentifier(RSA_WITH_SHA256), nothing())
      : sequence(objectIdentifier(ECDSA_WITH_SHA256));
  const subject = sequence(set(sequence(objectIdentifier(COMMON_NAME), utf8String(name))));
  const toBeSigned = sequence(
    der(VERSION_TAG, positiveInteger(Uint8Array.of(X509_VERSION_3))),
    positiveInteger(serialNumber),
    algorithm,
    subject,
    sequence(utcTime("700101000000Z"), generalizedTime("99991231235959Z")),
    subject,
    createPublicKey(privateKey).export({ type: "spki", format: "der" }),
    der(EXTENSIONS_TAG, sequence(...extensions)),
  );
  return sequence(toBeSigned, algorithm, bitString(sign("sha256", toBeSigned, privateKey)));
}

function extension(identifier: string, content: Uint8Array, critical?: "critical"): Buffer {
  const flag = critical === undefined ? [] : [boolean(true)];
  return sequence(objectIdentifier(identifier), ...flag, der(OCTET_STRING_TAG, content));
}

function toPem(certificate: Buffer): string {
  const base64 = certificate.toString("base64");
  return `-----BEGIN CERTIFICATE-----\n${base64.replaceAll(/.{1,64}/gu, "$&\n")}-----END CERTIFICATE-----\n`;
}
