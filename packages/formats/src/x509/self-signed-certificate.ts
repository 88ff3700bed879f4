import { type KeyObject, createPublicKey, sign } from "node:crypto";
import { bitString, der, generalizedTime, objectIdentifier, positiveInteger, sequence } from "./der.ts";
import { set, utcTime, utf8String } from "./der.ts";

const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
const COMMON_NAME = "2.5.4.3";
const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
/** RFC 5280, 4.1: the version and the extensions are the context tags 0 and 3; a SAN's dNSName is tag 2. */
const VERSION_TAG = 0xa0;
const EXTENSIONS_TAG = 0xa3;
const DNS_NAME_TAG = 0x82;
const OCTET_STRING_TAG = 0x04;
const X509_VERSION_3 = 2;

/**
 * A self-signed X.509 certificate (RFC 5280) for a P-256 key, DER. TLS wants one; it says nothing, since the key is
 * vouched for by a quote. So it has no expiry either: a node without a clock must be able to answer.
 *
 * Written here because the library for it (@peculiar/x509) more than doubles the time until the agent answers
 * (measured under emulation: 0.47 s more to load it, against 0.7 s for Node with its own crypto).
 */
export function selfSignedCertificate(privateKey: KeyObject, name: string, serialNumber: Uint8Array): Buffer {
  const algorithm = sequence(objectIdentifier(ECDSA_WITH_SHA256));
  const subject = sequence(set(sequence(objectIdentifier(COMMON_NAME), utf8String(name))));
  const dnsName = sequence(der(DNS_NAME_TAG, Buffer.from(name, "latin1")));
  const extension = sequence(objectIdentifier(SUBJECT_ALTERNATIVE_NAME), der(OCTET_STRING_TAG, dnsName));
  const toBeSigned = sequence(
    der(VERSION_TAG, positiveInteger(Uint8Array.of(X509_VERSION_3))),
    positiveInteger(serialNumber),
    algorithm,
    subject,
    sequence(utcTime("700101000000Z"), generalizedTime("99991231235959Z")),
    subject,
    createPublicKey(privateKey).export({ type: "spki", format: "der" }),
    der(EXTENSIONS_TAG, sequence(extension)),
  );
  return sequence(toBeSigned, algorithm, bitString(sign("sha256", toBeSigned, privateKey)));
}

/** The same in PEM (RFC 7468). */
export function selfSignedCertificatePem(privateKey: KeyObject, name: string, serialNumber: Uint8Array): string {
  const base64 = selfSignedCertificate(privateKey, name, serialNumber).toString("base64");
  return `-----BEGIN CERTIFICATE-----\n${base64.replaceAll(/.{1,64}/gu, "$&\n")}-----END CERTIFICATE-----\n`;
}
