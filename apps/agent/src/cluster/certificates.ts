/** Certificates that were kept in /var: bytes that anybody may have changed, held against what was measured. */
import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { AshlarError, messageOf } from "@ashlar/base";

const MAX_CERTIFICATES = 16;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]{1,65536}?-----END CERTIFICATE-----/gu;
const PRIVATE_KEY =
  /-----BEGIN (?<kind>(?:EC |RSA )?PRIVATE KEY)-----[A-Za-z0-9+/=\s]{1,65536}?-----END \k<kind>-----/u;

/**
 * Those whose keys have the declared digests, as PEM made anew of their bytes: nothing else that the file holds comes along.
 *
 * @param digests `sha256:` and the SHA-256 of SubjectPublicKeyInfo, as kubeadm writes it
 * @throws AshlarError `untrusted`: none has; `malformed`, `limit`
 */
export function pinnedCas(pem: string, digests: readonly string[]): X509Certificate[] {
  const certificates = parseCertificates(pem);
  const pinned = certificates.filter((each) => each.ca && digests.includes(keyDigest(each)));
  if (pinned.length > 0) return pinned;
  const found = certificates.map((each) => (each.ca ? keyDigest(each) : "a certificate that is no CA's")).join(", ");
  throw new AshlarError("untrusted", `expected a CA with ${digests.join(" or ")}, found ${found || "no certificate"}`);
}

export function keyDigest(certificate: X509Certificate): string {
  const key = certificate.publicKey.export({ type: "spki", format: "der" });
  return `sha256:${createHash("sha256").update(key).digest("hex")}`;
}

/**
 * The time at which the kubelet's client certificate ends.
 *
 * @param pem certificate and private key, as the kubelet keeps them
 * @throws AshlarError `untrusted`: not issued by one of the CAs, or not for this key; `malformed`, `limit`
 */
export function endOfClientCertificate(pem: string, cas: readonly X509Certificate[]): Date {
  const [certificate] = parseCertificates(pem);
  const key = PRIVATE_KEY.exec(pem)?.[0];
  if (certificate === undefined || key === undefined) {
    throw new AshlarError("malformed", "expected a certificate and its private key as PEM, found not both");
  }
  if (!cas.some((ca) => certificate.checkIssued(ca) && certificate.verify(ca.publicKey))) {
    throw new AshlarError("untrusted", "expected a certificate of the cluster's CA, found another's");
  }
  if (!certificate.checkPrivateKey(asMalformed("private key", () => createPrivateKey(key)))) {
    throw new AshlarError("untrusted", "expected the private key of the certificate, found another");
  }
  return certificate.validToDate;
}

function parseCertificates(pem: string): X509Certificate[] {
  const found = pem.match(CERTIFICATE) ?? [];
  if (found.length > MAX_CERTIFICATES) {
    throw new AshlarError("limit", `expected at most ${MAX_CERTIFICATES} certificates, found ${found.length}`);
  }
  return found.map((each) =>
    asMalformed("certificate", () => {
      const certificate = new X509Certificate(each);
      // OpenSSL reads the key only now.
      keyDigest(certificate);
      return certificate;
    }),
  );
}

function asMalformed<Value>(what: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw new AshlarError("malformed", `expected a ${what}, found bytes that are none: ${messageOf(error)}`);
  }
}
