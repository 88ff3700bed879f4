import { AshlarError } from "@ashlar/base";
import { publicKeyOf, type TufSigner } from "@ashlar/keys";
import {
  checkProvenanceOf,
  formatSignedProvenance,
  type ExpectedProvenance,
  MAX_PROVENANCE_BYTES,
  PAYLOAD_TYPE,
  signEnvelope,
} from "@ashlar/statements";
import { readOptional } from "@ashlar/host";

/**
 * Reads the provenance that a build has left beside what it made.
 *
 * @returns undefined when there is none: an older build, or one by hand
 * @throws AshlarError `limit`, `failed`
 */
export async function readProvenance(path: string): Promise<string | undefined> {
  return (await readOptional(path, MAX_PROVENANCE_BYTES))?.toString("utf8");
}

/**
 * Signs provenance with the keys that sign what is published, once it is about what is published here. The builder is
 * whoever it says: `ashlar release verify` decides whom to believe.
 *
 * @throws AshlarError `untrusted` when it is about something else, or incomplete; `malformed`, `limit`
 */
export function signProvenance(
  path: string,
  statement: string,
  expected: Omit<ExpectedProvenance, "builder">,
  signers: readonly TufSigner[],
): string {
  const [refusal] = checkProvenanceOf(statement, expected);
  if (refusal !== undefined) {
    throw new AshlarError("untrusted", `${path}: ${refusal.message}`, {
      hint: "build again; without this file it would be published without provenance",
    });
  }
  const [envelope, ...more] = signers.map(({ key, sign }) =>
    signEnvelope(PAYLOAD_TYPE, Buffer.from(statement), {
      publicKey: publicKeyOf(key),
      sign: (bytes) => Buffer.from(sign(Buffer.from(bytes)).sig, "hex"),
    }),
  );
  if (envelope === undefined) throw new RangeError("whoever publishes has a key");
  const signatures = [envelope, ...more].flatMap((each) => each.signatures);
  return formatSignedProvenance({ ...envelope, signatures });
}
