import { SHA256_HEX, AshlarError } from "@ashlar/base";

/** The content of a `-verity-sig` partition (UAPI Group "Discoverable Partitions Specification", "Verity Signature"). */
export type SignedRootHash = {
  /** 64 lower-case hexadecimal digits. */
  readonly rootHash: string;
  /** SHA-256 of the signing certificate as DER. */
  readonly certificateSha256: string;
  /** A detached PKCS #7 signature of the root hash's digits, DER. */
  readonly signature: Uint8Array;
};

/** systemd-repart makes 16 KiB; a signature with its certificate takes about 2. */
export const MAX_SIGNATURE_PARTITION_BYTES: number = 64 * 1024;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/u;
const FIELDS = ["rootHash", "certificateFingerprint", "signature"] as const;

/**
 * Parses the JSON text and the NUL bytes after it. Only the form that systemd-repart writes is accepted: no spaces, every
 * field once, so that no other reader can see other values.
 *
 * @throws AshlarError `limit`, `malformed`
 */
export function parseSignaturePartition(bytes: Uint8Array): SignedRootHash {
  if (bytes.length > MAX_SIGNATURE_PARTITION_BYTES) {
    const found = `found ${bytes.length}`;
    throw new AshlarError(
      "limit",
      `verity signature: expected at most ${MAX_SIGNATURE_PARTITION_BYTES} bytes, ${found}`,
    );
  }
  const nul = bytes.indexOf(0);
  const end = nul === -1 ? bytes.length : nul;
  if (bytes.subarray(end).some((byte) => byte !== 0)) malformed("expected NUL bytes after the text");
  const text = Buffer.from(bytes.subarray(0, end)).toString("utf8");
  const value = parseObject(text);
  const unknown = Object.keys(value).find((name) => !FIELDS.some((field) => field === name));
  if (unknown !== undefined) malformed(`expected ${FIELDS.join(", ")}, found ${JSON.stringify(unknown.slice(0, 64))}`);
  const [rootHash, certificateSha256, signature] = FIELDS.map((field) => value[field]);
  if (!isText(rootHash, SHA256_HEX)) malformed("rootHash: expected 64 lower-case hexadecimal digits");
  if (!isText(certificateSha256, SHA256_HEX))
    malformed("certificateFingerprint: expected 64 lower-case hexadecimal digits");
  if (!isText(signature, BASE64)) malformed("signature: expected base64");
  if (JSON.stringify(value) !== text) malformed("expected JSON without spaces, and every field once");
  return { rootHash, certificateSha256, signature: new Uint8Array(Buffer.from(signature, "base64")) };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // As any other text that is not a JSON object.
  }
  return malformed("expected a JSON object");
}

function isText(value: unknown, form: RegExp): value is string {
  return typeof value === "string" && form.test(value);
}

function malformed(message: string): never {
  throw new AshlarError("malformed", `verity signature: ${message}`);
}
