import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { splitCertificates } from "@ashlar/formats";
import { reportText } from "@ashlar/host/terminal";
import { readWrittenIndex } from "./nv-memory.ts";
import { persistKey } from "./persistent-keys.ts";
import type { TpmPrograms } from "./tpm-programs.ts";

/** A template of TCG EK Credential Profile 2.5, annex B, with the places of its certificate (2.2.1.4) and its key. */
export type EndorsementKind = {
  readonly certificateIndex: string;
  readonly handle: string;
  /** How tpm2_createprimary names the key; undefined for a template that tpm2_createek knows. */
  readonly primary?: {
    readonly algorithm: string;
    readonly hash: "sha256" | "sha384" | "sha512";
    readonly policy: string;
  };
  readonly algorithm: "rsa" | "ecc";
};

/** PolicyB of the profile's high range (B.6.3): for SHA-256, SHA-384 and SHA-512. */
const POLICY_B_SHA256 = "ca3d0a99a2b93906f7a3342414efcfb3a385d44cd1fd459089d19b5071c0b7a0";
const POLICY_B_SHA384 =
  "b26e7d28d11a50bc53d882bcf5fd3a1a074148bb35d3b4e4cb1c0ad9bde419cacb47ba09699646150f9fc000f3f80e12";
const POLICY_B_SHA512 =
  "b8221ca69e8550a4914de3faa6a18c072cc01208073a928d5d66d59ef79e49a4" +
  "29c41a6b269571d57edb25fbdb1838425608b413cd616a5f6db5b6071af99bea";

/** What every TPM can make, and most have a certificate for. */
export const RSA_KIND: EndorsementKind = { certificateIndex: "0x01c00002", handle: "0x81010001", algorithm: "rsa" };

/** In this order the first one whose certificate is there is taken: what most TPMs have comes first. */
const KINDS: readonly EndorsementKind[] = [
  RSA_KIND,
  { certificateIndex: "0x01c0000a", handle: "0x81010002", algorithm: "ecc" },
  {
    certificateIndex: "0x01c00012",
    handle: "0x81010012",
    algorithm: "rsa",
    primary: { algorithm: "rsa2048:aes128cfb", hash: "sha256", policy: POLICY_B_SHA256 },
  },
  {
    certificateIndex: "0x01c00014",
    handle: "0x81010014",
    algorithm: "ecc",
    primary: { algorithm: "ecc256:aes128cfb", hash: "sha256", policy: POLICY_B_SHA256 },
  },
  {
    certificateIndex: "0x01c00016",
    handle: "0x81010016",
    algorithm: "ecc",
    primary: { algorithm: "ecc384:aes256cfb", hash: "sha384", policy: POLICY_B_SHA384 },
  },
  {
    certificateIndex: "0x01c0001c",
    handle: "0x8101001c",
    algorithm: "rsa",
    primary: { algorithm: "rsa3072:aes256cfb", hash: "sha384", policy: POLICY_B_SHA384 },
  },
  {
    certificateIndex: "0x01c00018",
    handle: "0x81010018",
    algorithm: "ecc",
    primary: { algorithm: "ecc521:aes256cfb", hash: "sha512", policy: POLICY_B_SHA512 },
  },
];

/** Places of the profile whose keys are not used here: that a TPM has no other certificate stands in the journal. */
const UNUSED_KINDS: readonly (readonly [index: number, name: string])[] = [
  [0x01c0_001a, "SM2"],
  [0x01c0_001e, "RSA-4096"],
];

/** Where the RSA-2048 endorsement key is (TCG EK Credential Profile 2.5, table 2, and what swtpm_setup does). */
export const ENDORSEMENT_KEY: string = RSA_KIND.handle;

/** The EK's certificate chain (TCG EK Credential Profile 2.5, 2.2.1.5). */
const FIRST_CHAIN_INDEX = 0x01c0_0100;
const LAST_CHAIN_INDEX = 0x01c0_01ff;
const MAX_CHAIN_CERTIFICATES = 8;
/** No verifier takes a larger one. */
const MAX_CERTIFICATE_BYTES = 8192;

export type Endorsement = {
  readonly kind: EndorsementKind;
  /** DER; undefined for a TPM without any. */
  readonly certificate: Buffer | undefined;
  /** DER of what the maker has put beside it. */
  readonly intermediates: readonly Buffer[];
};

/**
 * Which endorsement key is certified, and by what.
 *
 * @param indices all that are defined
 */
export async function findEndorsement(tpm: TpmPrograms, indices: ReadonlySet<number>): Promise<Endorsement> {
  const found = await findCertificate(tpm, indices);
  if (found === undefined) {
    const unused = UNUSED_KINDS.filter(([index]) => indices.has(index)).map(([, name]) => name);
    if (unused.length > 0) {
      const used = "RSA-2048, RSA-3072, P-256, P-384 or P-521";
      reportText(
        `the TPM's certificates are for ${unused.join(" and ")} endorsement keys, which are not supported: expected ${used}`,
      );
    }
    return { kind: RSA_KIND, certificate: undefined, intermediates: [] };
  }
  const chain = [...indices].filter((index) => index >= FIRST_CHAIN_INDEX && index <= LAST_CHAIN_INDEX);
  const parts: Buffer[] = [];
  // One certificate may go on in the next index.
  for (const index of chain.toSorted((a, b) => a - b).slice(0, MAX_CHAIN_CERTIFICATES * 2)) {
    parts.push(await readWrittenIndex(tpm, `0x${index.toString(16).padStart(8, "0")}`));
  }
  const chained = splitCertificates(Buffer.concat(parts)).filter(({ length }) => length <= MAX_CERTIFICATE_BYTES);
  const intermediates = chained.slice(0, MAX_CHAIN_CERTIFICATES);
  return { ...found, intermediates };
}

/** The first place that has a certificate: some boards come with one that is defined, and empty or never written. */
async function findCertificate(
  tpm: TpmPrograms,
  indices: ReadonlySet<number>,
): Promise<Pick<Endorsement, "kind" | "certificate"> | undefined> {
  for (const kind of KINDS) {
    if (!indices.has(Number(kind.certificateIndex))) continue;
    const [certificate] = splitCertificates(await readWrittenIndex(tpm, kind.certificateIndex));
    if (certificate !== undefined) return { kind, certificate };
    reportText(`the TPM's index ${kind.certificateIndex} for a certificate has none in it`);
  }
  return undefined;
}

/** By the template that the certificate is for, so that the key is the one which it names. */
export async function createEndorsementKey(
  tpm: TpmPrograms,
  directory: string,
  { handle, algorithm, primary }: EndorsementKind,
): Promise<Buffer> {
  const path = join(directory, "ek");
  const output = ["--format", "tss", "--public", path];
  if (primary === undefined) {
    await tpm("createek", ["--ek-context", handle, "--key-algorithm", algorithm, ...output]);
    return await readFile(path);
  }
  const [policy, context] = [join(directory, "policy"), join(directory, "ek-context")];
  await writeFile(policy, Buffer.from(primary.policy, "hex"));
  const template = ["--key-algorithm", primary.algorithm, "--hash-algorithm", primary.hash, "--policy", policy];
  await tpm("createprimary", ["--hierarchy", "e", ...template, "--attributes", ATTRIBUTES, "--key-context", context]);
  await persistKey(tpm, context, handle);
  await tpm("readpublic", ["--quiet", "--object-context", handle, "--format", "tss", "--output", path]);
  return await readFile(path);
}

/** The high range's (B.4.1): its user's authorization is the empty password. */
const ATTRIBUTES = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|adminwithpolicy|restricted|decrypt";
