import { hash, type X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { type CertificateSigner, type KeyVariable, type SecureBootEnrolment, signPe, verifyPe } from "@ashlar/formats";
import type { SecureBootKeyDigests } from "@ashlar/protocol/answers";

/** Whose Secure Boot keys an image is for. */
export type ImageSecureBoot = {
  /** Signs systemd-boot and the UKI: the key of `db`. */
  readonly signer: CertificateSigner;
  /** For each variable its certificate, and what enrols it on a machine in set-up mode. */
  readonly parts: Readonly<Record<KeyVariable, SecureBootPart>>;
  readonly enrolment: SecureBootEnrolment;
};

export type SecureBootPart = { readonly certificate: X509Certificate; readonly variable: Uint8Array };

/** Copies a program, signed when there is a key. @throws AshlarError as `signPe` */
export async function signProgram(from: string, to: string, secureBoot: ImageSecureBoot | undefined): Promise<void> {
  const bytes = await readFile(from);
  if (secureBoot === undefined) {
    await writeFile(to, bytes);
    return;
  }
  const signed = signPe(bytes, secureBoot.signer);
  // What is written here must hold for who reads it.
  verifyPe(signed, [secureBoot.parts.db.certificate]);
  await writeFile(to, signed);
}

export function describeSecureBoot({ parts }: ImageSecureBoot): SecureBootKeyDigests {
  const describe = ({ certificate, variable }: SecureBootPart): SecureBootKeyDigests["db"] => ({
    certificateSha256: hash("sha256", certificate.raw),
    variableSha256: hash("sha256", variable),
  });
  return { PK: describe(parts.PK), KEK: describe(parts.KEK), db: describe(parts.db) };
}
