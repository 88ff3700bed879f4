import { createHash } from "node:crypto";
import type { TrustedRoots, TrustPolicy } from "@ashlar/fleet";
import type { EkRoots, TpmTrust } from "@ashlar/identity";
import type { ProveOptions } from "../prove/prove-options.ts";

/** By what nodes were judged beside their declarations, as a certificate says it. */
export async function trustPolicyOf(
  { ekRoots, cloudRoots }: Pick<TpmTrust, "ekRoots" | "cloudRoots">,
  { certifyKey, firmwarePolicy, maxAge }: Pick<ProveOptions, "certifyKey" | "firmwarePolicy" | "maxAge">,
): Promise<TrustPolicy> {
  return {
    ekRoots: rootsOf(ekRoots),
    cloudRoots: rootsOf(cloudRoots),
    acceptExpiredEk: ekRoots?.acceptExpired === true,
    vouchedBy: certifyKey ?? null,
    firmwarePolicy: firmwarePolicy === undefined ? null : await digestOf(firmwarePolicy),
    maxAgeSeconds: maxAge,
  };
}

function rootsOf(roots: EkRoots | undefined): TrustedRoots | null {
  if (roots === undefined) return null;
  const fingerprints = roots.certificates.map(({ x509 }) => createHash("sha256").update(x509.raw).digest("hex"));
  const lines = fingerprints.toSorted().map((fingerprint) => `${fingerprint}\n`);
  return { count: lines.length, sha256: createHash("sha256").update(lines.join("")).digest("hex") };
}

async function digestOf(path: string): Promise<string> {
  const { readNamedFile } = await import("@ashlar/host");
  return createHash("sha256")
    .update(await readNamedFile(path, "a firmware policy"))
    .digest("hex");
}
