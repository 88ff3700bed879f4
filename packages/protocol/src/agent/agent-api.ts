/**
 * What a node's agent and its verifier say to each other: JSON over HTTP/1.1 over TLS. A node loads no schema library:
 * nothing here but types, limits and two small request checks.
 */
import { AshlarError } from "@ashlar/base";
import { NONCE_BYTES, type EVIDENCE_SCHEMA } from "./qualifying-data.ts";

/** The agent's TCP port on a node. */
export const AGENT_PORT = 7443;

/** Largest request body that an agent reads. An activation is under 1.5 KiB. */
export const MAX_REQUEST_BYTES = 4096;

/** Largest measurement log that an agent hands out and a verifier takes. */
export const MAX_LOG_BYTES: number = 1024 * 1024;

/** The banks of PCRs that can be quoted, in the order in which a quote has them; those that are on are. */
export const PCR_BANKS = ["sha256", "sha384"] as const;
export type PcrBank = (typeof PCR_BANKS)[number];

/** The PCRs that every quote covers, in each bank. */
export const QUOTED_PCRS: readonly number[] = Array.from({ length: 16 }, (_, index) => index);

/** `GET /v1/keys`. All members are base64. */
export type KeysResponse = {
  /** TPM2B_PUBLIC of the attestation key. */
  readonly ak: string;
  /** DER, as stored in the TPM's NV memory. Missing where the TPM has none. */
  readonly ekCertificate?: string;
  /** DER of the certificates between the EK's and the maker's root, where the TPM has them. At most 8. */
  readonly ekIntermediates?: readonly string[];
  /** TPM2B_PUBLIC of the endorsement key. Missing beside `akCertificate`. */
  readonly ekPublic?: string;
  /** DER of the attestation key's own certificate, where a cloud has certified it. Nothing is said of an EK then. */
  readonly akCertificate?: string;
};

/** `POST /v1/activate`. Both members are base64. */
export type ActivateRequest = {
  /** TPM2B_ID_OBJECT. */
  readonly credentialBlob: string;
  /** TPM2B_ENCRYPTED_SECRET. */
  readonly encryptedSecret: string;
};

/** The secret that TPM2_ActivateCredential gave back, in base64. */
export type ActivateResponse = { readonly secret: string };

/** `POST /v1/evidence`. */
export type EvidenceRequest = {
  /** {@link NONCE_BYTES} bytes in base64. */
  readonly nonce: string;
};

export type EvidenceResponse = {
  readonly schema: typeof EVIDENCE_SCHEMA;
  /** TPMS_ATTEST and TPMT_SIGNATURE in base64. */
  readonly quote: { readonly message: string; readonly signature: string };
  /** PCR number, "0" to "15", to the lower-case hexadecimal value in the SHA-256 bank. Missing where this bank is off. */
  readonly pcrs?: Readonly<Record<string, string>>;
  /** The same in the SHA-384 bank. Missing where this bank is off, and in answers of older agents. */
  readonly sha384Pcrs?: Readonly<Record<string, string>>;
  /** TPM2B_PUBLIC of the attestation key in base64. */
  readonly ak: string;
  /** DER in base64. Missing where the TPM has none. */
  readonly ekCertificate?: string;
  /** TPM2B_PUBLIC of the endorsement key in base64, where there is no certificate for it. */
  readonly ekPublic?: string;
  /** DER in base64, instead of both: the attestation key's own certificate, where a cloud has certified it. */
  readonly akCertificate?: string;
  /** The agent's TLS key, SubjectPublicKeyInfo as DER in base64. */
  readonly tlsPublicKey: string;
  /** `/sys/kernel/security/tpm0/binary_bios_measurements` in base64. */
  readonly firmwareLog: string;
  /** `/run/log/systemd/tpm2-measure.log` in base64. */
  readonly userspaceLog: string;
  /** `/etc/os-release`, as it is. Reported by software only. */
  readonly osRelease: string;
  /** `/proc/cmdline`, as it is. Reported by software only. */
  readonly commandLine: string;
  /** dm-verity's own status of /usr. Reported by software only. */
  readonly verity: {
    readonly device: "usr";
    /** `V` while every block that was read held, `C` after corruption; empty when there is no such device. */
    readonly status: string;
    readonly rootHash?: string;
  };
};

/**
 * Checks the body of `POST /v1/evidence` and gives the nonce's bytes.
 *
 * @throws AshlarError `malformed` (answer with status 400)
 */
export function parseEvidenceRequest(body: string): Buffer {
  const { nonce } = parseMembers(body, ["nonce"]);
  return base64Member(nonce, "nonce", NONCE_BYTES, NONCE_BYTES);
}

/**
 * Checks the body of `POST /v1/activate` and gives the bytes of TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET.
 *
 * @throws AshlarError `malformed` (answer with status 400)
 */
export function parseActivateRequest(body: string): { credentialBlob: Buffer; encryptedSecret: Buffer } {
  const { credentialBlob, encryptedSecret } = parseMembers(body, ["credentialBlob", "encryptedSecret"]);
  return {
    credentialBlob: base64Member(credentialBlob, "credentialBlob", 4, MAX_ID_OBJECT_BYTES),
    encryptedSecret: base64Member(encryptedSecret, "encryptedSecret", 4, MAX_ENCRYPTED_SECRET_BYTES),
  };
}

/** TPM2B_ID_OBJECT: sizes, an HMAC and an encrypted secret of at most one digest each (TPM 2.0 Part 2, 12.4.3). */
export const MAX_ID_OBJECT_BYTES: number = 2 + 2 + 64 + 2 + 64;
/** TPM2B_ENCRYPTED_SECRET under keys of up to RSA-4096 (TPM 2.0 Part 2, 11.4.33). */
export const MAX_ENCRYPTED_SECRET_BYTES: number = 2 + 512;

function parseMembers<Name extends string>(body: string, names: readonly Name[]): Record<Name, string> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new AshlarError("malformed", "request: expected a JSON object, found something else");
  }
  const members = typeof value === "object" && value !== null ? Object.entries(value) : [];
  const found = new Map<string, unknown>(members);
  const result: Partial<Record<Name, string>> = {};
  for (const name of names) {
    const member = found.get(name);
    if (typeof member !== "string") {
      throw new AshlarError("malformed", `request: expected a string at $.${name}, found ${typeof member}`);
    }
    result[name] = member;
  }
  if (found.size > names.length) {
    throw new AshlarError("malformed", `request: expected only ${names.join(", ")}, found ${found.size} members`);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the loop has set every name
  return result as Record<Name, string>;
}

function base64Member(text: string, name: string, minBytes: number, maxBytes: number): Buffer {
  const bytes = Buffer.from(text, "base64");
  // Buffer skips what is not base64: only a text with one reading is accepted.
  if (bytes.toString("base64") !== text) {
    throw new AshlarError("malformed", `request: expected base64 with padding at $.${name}`);
  }
  if (bytes.length < minBytes || bytes.length > maxBytes) {
    const size = minBytes === maxBytes ? String(minBytes) : `${minBytes} to ${maxBytes}`;
    throw new AshlarError("malformed", `request: expected ${size} bytes at $.${name}, found ${bytes.length}`);
  }
  return bytes;
}
