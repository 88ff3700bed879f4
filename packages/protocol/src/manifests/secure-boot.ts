import { SHA256_HEX } from "@ashlar/base";
import type { KeyVariable } from "@ashlar/formats";
import { z } from "zod";

/** The keys with which a release's programs start under Secure Boot: one certificate in each variable, by digest in hexadecimal. */
export type SecureBootKeyDigests = Readonly<Record<KeyVariable, SecureBootKeyDigest>>;

export type SecureBootKeyDigest = {
  /** SHA-256 of the certificate's DER: what is in the variable once it is enrolled. */
  readonly certificateSha256: string;
  /** SHA-256 of what enrols it: the file in loader/keys/auto on the ESP. */
  readonly variableSha256: string;
};

const digest = z.string().regex(SHA256_HEX, "expected 64 lower-case hexadecimal digits");
const key = z.strictObject({ certificateSha256: digest, variableSha256: digest });

export const secureBootSchema: z.ZodType<SecureBootKeyDigests> = z.strictObject({ PK: key, KEK: key, db: key });
