/** Hash algorithms under the names that dm-verity's superblock, the kernel and Node.js share. */
export type VerityAlgorithm = "sha1" | "sha224" | "sha256" | "sha384" | "sha512";

export const DIGEST_BYTES: Readonly<Record<VerityAlgorithm, number>> = {
  sha1: 20,
  sha224: 28,
  sha256: 32,
  sha384: 48,
  sha512: 64,
};

export function isVerityAlgorithm(name: string): name is VerityAlgorithm {
  return Object.hasOwn(DIGEST_BYTES, name);
}
