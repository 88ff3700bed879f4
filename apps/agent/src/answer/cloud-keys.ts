import { X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { keyObjectOf, parseKeyTemplate, parsePublic, splitCertificates } from "@ashlar/formats";
import { Refusal } from "../shared/refusal.ts";
import { readNvIndex } from "./nv-memory.ts";
import { persistKey, readPublic } from "./persistent-keys.ts";
import type { TpmPrograms } from "./tpm-programs.ts";

/** Where a cloud has put the certificate of an attestation key, and the key or what it is made from. */
type Place = {
  readonly certificateIndex: string;
  /** A persistent key. With a template it is ours, of the owner's range that TCG's registry gives to nobody. */
  readonly handle: string;
  /** TPMT_PUBLIC in NV memory: a primary key of the endorsement hierarchy, the same one whenever it is made. */
  readonly templateIndex?: string;
};

/** All that are known. No certificate is looked for anywhere else. */
const PLACES: readonly Place[] = [
  // Azure.
  { certificateIndex: "0x01c101d0", handle: "0x81000003" },
  // Google: RSA, ECC.
  { certificateIndex: "0x01c10000", templateIndex: "0x01c10001", handle: "0x8100a511" },
  { certificateIndex: "0x01c10002", templateIndex: "0x01c10003", handle: "0x8100a512" },
];

export type CloudKey = {
  readonly handle: string;
  /** TPM2B_PUBLIC. */
  readonly ak: Buffer;
  /** DER. */
  readonly certificate: Buffer;
};

/**
 * The attestation key that the machine's cloud has certified, or undefined where there is no such certificate.
 *
 * @throws Refusal when there is a certificate and not its key: such a machine's own key would be nobody's
 */
export async function findCloudKey(
  tpm: TpmPrograms,
  directory: string,
  indices: ReadonlySet<number>,
): Promise<CloudKey | undefined> {
  const problems: string[] = [];
  for (const place of PLACES) {
    if (!indices.has(Number(place.certificateIndex))) continue;
    const found = await readPlace(tpm, directory, place, indices);
    if (typeof found !== "string") return found;
    problems.push(`the certificate at ${place.certificateIndex}: ${found}`);
  }
  if (problems.length === 0) return undefined;
  const message = `the TPM has a cloud's certificate, but not the attestation key that it is for: ${problems.join("; ")}`;
  throw new Refusal(500, "failed", message, {
    hint: "restart the machine from its cloud, so that its key is made and certified again; if it is in no cloud, remove the index",
  });
}

/** The key, or why there is none. */
async function readPlace(
  tpm: TpmPrograms,
  directory: string,
  { certificateIndex, handle, templateIndex }: Place,
  indices: ReadonlySet<number>,
): Promise<CloudKey | string> {
  const [certificate] = splitCertificates(await readNvIndex(tpm, certificateIndex, "owner"));
  if (certificate === undefined) return "expected DER, found something else";
  try {
    const persistent = await readPublic(tpm, directory, handle);
    if (persistent !== undefined) {
      return isFor(certificate, persistent) ? { handle, ak: persistent, certificate } : `another key is at ${handle}`;
    }
    if (templateIndex === undefined) return `no key is at ${handle}`;
    if (!indices.has(Number(templateIndex))) return `no template is at ${templateIndex}`;
    const template = await readNvIndex(tpm, templateIndex, "owner");
    const { ak, context } = await createFromTemplate(tpm, directory, template);
    if (!isFor(certificate, ak)) return `another key is made from the template at ${templateIndex}`;
    await persistKey(tpm, context, handle);
    return { handle, ak, certificate };
  } catch (error) {
    if (error instanceof AshlarError && error.code === "malformed") return error.message;
    throw error;
  }
}

/** @throws AshlarError `malformed` */
function isFor(certificate: Buffer, tpm2bPublic: Buffer): boolean {
  const key = keyObjectOf(parsePublic(tpm2bPublic));
  let certified;
  try {
    certified = new X509Certificate(certificate).publicKey;
  } catch (error) {
    throw new AshlarError("malformed", "expected an X.509 certificate, found something else", { cause: error });
  }
  return certified.equals(key);
}

/** tpm2_createprimary takes no whole template: each part of it has an option. */
async function createFromTemplate(
  tpm: TpmPrograms,
  directory: string,
  templateArea: Buffer,
): Promise<{ readonly ak: Buffer; readonly context: string }> {
  const { type, attributes, authPolicy, unique } = parseKeyTemplate(templateArea);
  const inside = (name: string): string => join(directory, `template-${name}`);
  const [context, output] = [inside("context"), inside("public")];
  await writeFile(inside("unique"), Buffer.concat(unique.flatMap(sizedAsInMemory)));
  const algorithm = type === "rsa" ? "rsa2048:rsassa-sha256:null" : "ecc256:ecdsa-sha256:null";
  const key = [
    "--key-algorithm",
    algorithm,
    "--hash-algorithm",
    "sha256",
    "--attributes",
    `0x${attributes.toString(16)}`,
  ];
  if (authPolicy.length > 0) {
    await writeFile(inside("policy"), authPolicy);
    key.push("--policy", inside("policy"));
  }
  const files = ["--unique-data", inside("unique"), "--key-context", context, "--format", "tss", "--output", output];
  await tpm("createprimary", ["--quiet", "--hierarchy", "e", ...key, ...files]);
  return { ak: await readFile(output), context };
}

/** As tpm2_createprimary wants --unique-data: the size in this machine's byte order, which is little-endian on all of ours. */
function sizedAsInMemory(bytes: Uint8Array): Buffer[] {
  const size = Buffer.alloc(2);
  size.writeUInt16LE(bytes.length);
  return [size, Buffer.from(bytes)];
}
