import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { withTemporaryDirectory } from "@ashlar/host";
import type { NodeKeys } from "./attestation-keys.ts";
import { Refusal } from "../shared/refusal.ts";
import type { TpmPrograms } from "./tpm-programs.ts";

/** What tpm2-tools write before the two structures of a credential file: a magic number and a version. */
const CREDENTIAL_FILE_HEADER = Uint8Array.of(0xba, 0xdc, 0xc0, 0xde, 0, 0, 0, 1);

/**
 * TPM2_ActivateCredential: gives the secret only if this TPM holds both the endorsement key that it was encrypted for and
 * the attestation key that it names.
 */
export async function activateCredential(
  tpm: TpmPrograms,
  { attestationKey, endorsement }: NodeKeys,
  credentialBlob: Uint8Array,
  encryptedSecret: Uint8Array,
): Promise<Buffer> {
  if (endorsement === undefined) {
    throw new Refusal(409, "conflict", "a cloud has certified this node's attestation key: it opens no credentials");
  }
  return await withTemporaryDirectory(async (directory) => {
    const session = join(directory, "session");
    const credential = join(directory, "credential");
    const secret = join(directory, "secret");
    await writeFile(credential, Buffer.concat([CREDENTIAL_FILE_HEADER, credentialBlob, encryptedSecret]));
    const keys = ["--credentialedkey-context", attestationKey, "--credentialkey-context", endorsement.handle];
    const files = ["--credential-blob", credential, "--certinfo-data", secret];
    if (!endorsement.needsPolicy) {
      await tpm("activatecredential", [...keys, ...files]).catch(refuse);
      return await readFile(secret);
    }
    // The low range's policy asks for the endorsement hierarchy's password (EK Credential Profile 2.5, B.3.2).
    await tpm("startauthsession", ["--policy-session", "--session", session]);
    try {
      await tpm("policysecret", ["--session", session, "--object-context", "e"]);
      await tpm("activatecredential", [...keys, ...files, "--credentialkey-auth", `session:${session}`]).catch(refuse);
    } finally {
      await tpm("flushcontext", [session]);
    }
    return await readFile(secret);
  });
}

/**
 * TPM_RC_INTEGRITY, TPM_RC_SIZE, TPM_RC_VALUE and TPM_RC_INSUFFICIENT of any parameter (TPM 2.0 Library Part 2, 6.6.3):
 * the credential is for other keys, or damaged. TPM_RC_FAILURE is what libtpms says when RSA cannot decrypt the secret.
 */
const BAD_CREDENTIAL = /0x(?:[1-9a-f]?(?:df|d5|c4|da)|101)\b/iu;

function refuse(error: unknown): never {
  if (error instanceof AshlarError && error.code === "failed" && BAD_CREDENTIAL.test(error.message)) {
    throw new Refusal(400, "untrusted", "the TPM refused the credential: it was made for other keys, or is damaged");
  }
  throw error;
}
