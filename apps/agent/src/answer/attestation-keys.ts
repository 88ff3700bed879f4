import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { ATTESTATION_KEY_ATTRIBUTES, objectAttributeNames, parsePublic } from "@ashlar/formats";
import { withTemporaryDirectory, writeFileAtomically } from "@ashlar/host";
import type { KeysResponse } from "@ashlar/protocol";
import { findCloudKey } from "./cloud-keys.ts";
import { createEndorsementKey, ENDORSEMENT_KEY, findEndorsement, RSA_KIND } from "./endorsement-keys.ts";
import { explaining } from "./explain-tpm-errors.ts";
import { listNvIndices } from "./nv-memory.ts";
import { persistKey, readPublic } from "./persistent-keys.ts";
import type { TpmPrograms } from "./tpm-programs.ts";

/**
 * Our attestation key: a persistent handle of the owner's range that TCG's registry gives to nobody. The TPM itself keeps
 * the key, so a node without a disk keeps it too, and a quote needs no program that loads it first.
 */
export const ATTESTATION_KEY = "0x8100a510";

const RSA_BYTES = 256;

/** What the verifier is told, and what only this node needs to know. */
export type NodeKeys = {
  readonly answer: KeysResponse;
  /** The persistent handle of the key that quotes. */
  readonly attestationKey: string;
  /** With which key credentials are opened; undefined where none is needed, since a cloud has certified the attestation key. */
  readonly endorsement?: { readonly handle: string; readonly needsPolicy: boolean };
};

/**
 * The public parts of this node's keys; the keys are made when the TPM has none. Kept in `path` (on a tmpfs), since they
 * change only while the machine is off, and reading them costs several program runs.
 */
export async function loadKeys(tpm: TpmPrograms, path: string): Promise<NodeKeys> {
  if (existsSync(path)) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only the line below writes this file
    return JSON.parse(await readFile(path, "utf8")) as NodeKeys;
  }
  const keys = await withTemporaryDirectory(async (directory) => await readKeys(explaining(tpm), directory));
  await writeFileAtomically(path, JSON.stringify(keys), 0o600);
  return keys;
}

/**
 * A certified EK comes first: the challenge with it proves what kind of key the attestation key is, which a cloud's certificate for
 * that key does not say.
 */
async function readKeys(tpm: TpmPrograms, directory: string): Promise<NodeKeys> {
  const indices = await listNvIndices(tpm);
  const { kind, certificate, intermediates } = await findEndorsement(tpm, indices);
  const cloudKey = certificate === undefined ? await findCloudKey(tpm, directory, indices) : undefined;
  if (cloudKey !== undefined) {
    const answer = { ak: cloudKey.ak.toString("base64"), akCertificate: cloudKey.certificate.toString("base64") };
    return { answer, attestationKey: cloudKey.handle };
  }
  const { handle } = kind;
  const ekPublic = (await readPublic(tpm, directory, handle)) ?? (await createEndorsementKey(tpm, directory, kind));
  const ak = (await readPublic(tpm, directory, ATTESTATION_KEY)) ?? (await createAttestationKey(tpm, directory));
  assertAttestationKey(ak);
  const answer = {
    ak: ak.toString("base64"),
    ekPublic: ekPublic.toString("base64"),
    ...(certificate === undefined ? {} : { ekCertificate: certificate.toString("base64") }),
    ...(intermediates.length === 0 ? {} : { ekIntermediates: intermediates.map((each) => each.toString("base64")) }),
  };
  return { answer, attestationKey: ATTESTATION_KEY, endorsement: { handle, needsPolicy: kind.primary === undefined } };
}

/** Below the RSA endorsement key, whichever key is certified: one TPM holds both. */
async function createAttestationKey(tpm: TpmPrograms, directory: string): Promise<Buffer> {
  const context = join(directory, "ak-context");
  const path = join(directory, "ak");
  const kind = await chooseKind(tpm);
  const hasParent = (await readPublic(tpm, directory, ENDORSEMENT_KEY)) !== undefined;
  if (!hasParent) await createEndorsementKey(tpm, directory, RSA_KIND);
  const algorithms = ["--hash-algorithm", "sha256", ...kind];
  const files = ["--ak-context", context, "--format", "tss", "--public", path];
  await tpm("createak", ["--ek-context", ENDORSEMENT_KEY, ...algorithms, ...files]);
  await persistKey(tpm, context, ATTESTATION_KEY);
  return await readFile(path);
}

/** ECC where the TPM has it; some have RSA alone. */
async function chooseKind(tpm: TpmPrograms): Promise<readonly string[]> {
  const { stdout } = await tpm("getcap", ["ecc-curves"]);
  return stdout.includes(P256)
    ? ["--key-algorithm", "ecc", "--signing-algorithm", "ecdsa"]
    : ["--key-algorithm", "rsa2048", "--signing-algorithm", "rsassa"];
}

/** As tpm2_getcap names the curve (TCG Algorithm Registry, TPM_ECC_NIST_P256). */
const P256 = "TPM2_ECC_NIST_P256";

/** Another program's key at our handle must not be used, or taken for a fault of the verifier. */
function assertAttestationKey(tpm2bPublic: Uint8Array): void {
  const found = parsePublic(tpm2bPublic);
  const isOurs =
    found.type === "ecc"
      ? found.curve === "P-256" && found.scheme.kind === "ecdsa"
      : found.modulus.length === RSA_BYTES && found.scheme.kind === "rsassa";
  if (isOurs && found.attributes === ATTESTATION_KEY_ATTRIBUTES) return;
  throw new AshlarError(
    "conflict",
    `expected an attestation key at ${ATTESTATION_KEY}, found ${found.type} ${objectAttributeNames(found.attributes)}`,
    { hint: `free the handle with \`tpm2_evictcontrol -c ${ATTESTATION_KEY}\`` },
  );
}
