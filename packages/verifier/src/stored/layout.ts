/** The names of all files in a directory of evidence. Nothing else in it is read, replaced or removed. */

export const FLEET = "fleet.json";
export const MANIFEST = "manifest.json";
export const EK_ROOTS = "ek-roots.pem";
export const CLOUD_ROOTS = "cloud-roots.pem";
export const RELEASES = "releases";
export const EXTENSIONS = "extensions.json";

/** What lies beside the nodes' directories. */
export const SHARED_NAMES: ReadonlySet<string> = new Set([
  FLEET,
  MANIFEST,
  EK_ROOTS,
  CLOUD_ROOTS,
  RELEASES,
  EXTENSIONS,
]);

/** In an archive, what nodes share, by the SHA-256 of its content. No node has such a name. */
export const SHARED_CONTENT = "_shared";

/** A release in its directory, named by the SHA-256 of its UKI. */
export const RELEASE_FILE: RegExp = /^(?<ukiSha256>[0-9a-f]{64})\.json$/u;

export const ANSWER = "answer.json";

/** Files that other programs can check, for example `tpm2_checkquote` and `tpm2_eventlog`. */
export const EVIDENCE_FILES = {
  ak: "ak.pub",
  quoteMessage: "quote.msg",
  quoteSignature: "quote.sig",
  ekCertificate: "ek-cert.der",
  /** Instead of the certificate, where the TPM has none. */
  ekPublic: "ek.pub",
  /** Instead of both, where a cloud has certified the attestation key. */
  akCertificate: "ak-cert.der",
  firmwareLog: "firmware-log.bin",
  userspaceLog: "userspace-log.cel",
} as const;

/** The bytes in the quote's extraData, for other programs. They follow from nonce and TLS key. */
export const QUALIFYING_DATA = "qualifying-data";

/** The answer about the next boot, when there is one: the report is the exact text that the quote is over. */
export const NEXT_BOOT_FILES = {
  report: "next-boot.json",
  quoteMessage: "next-boot-quote.msg",
  quoteSignature: "next-boot-quote.sig",
  qualifyingData: "next-boot-qualifying-data",
} as const;

/** What machines of one kind have in common, to the byte. */
export const SHARED_FILES: ReadonlySet<string> = new Set([EVIDENCE_FILES.firmwareLog, NEXT_BOOT_FILES.report]);

/** What a node's directory can hold. */
export const NODE_FILES: ReadonlySet<string> = new Set([
  ANSWER,
  QUALIFYING_DATA,
  ...Object.values(EVIDENCE_FILES),
  ...Object.values(NEXT_BOOT_FILES),
]);

/** Enough for every fleet that is proved from one place. */
export const MAX_NODES = 100_000;
