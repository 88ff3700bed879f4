/** For tests: extension images as `ashlar extension build` leaves them, made of one that systemd-repart made. */
import { execFileSync } from "node:child_process";
import { hash, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { GPT_BACKUP_BYTES, GPT_PRIMARY_BYTES, parseDdi, parseGpt, partitionUuidsOf, writeGpt } from "@ashlar/formats";
import { extensionFileName, type ExtensionManifest, NO_BEHAVIOUR } from "@ashlar/protocol";
import { treeOf } from "@ashlar/repository/test-fixtures";
import type { ExtensionSigner } from "@ashlar/keys";

const VECTOR = join(import.meta.dirname, "../../../../test/vectors/ddi/hello-v1.2.3-x86-64.raw.gz");
const [NAME, VERSION] = ["hello", "v1.2.3"];

export type TestExtension = {
  /** Of five letters, like that of the image that all are made of. */
  readonly name?: string;
  /** Of six characters. */
  readonly version: string;
  readonly tier?: ExtensionManifest["tier"];
  /** Makes another image of the same version. */
  readonly content?: number;
  /** What is in the manifest instead of what is right. */
  readonly lie?: Partial<ExtensionManifest>;
};

/** Writes image, manifest and bill of materials; gives the image's path. */
export async function writeTestExtension(
  directory: string,
  signer: ExtensionSigner,
  { name = NAME, version, tier = "community", content = 0, lie = {} }: TestExtension,
): Promise<string> {
  const raw = gunzipSync(readFileSync(VECTOR));
  const { data, tree, superblock } = parseDdi((offset, size) => raw.subarray(offset, offset + size), raw.length);
  const files = raw.subarray(data.offsetBytes, data.offsetBytes + data.sizeBytes);
  replaceText(files, VERSION, version);
  replaceText(files, NAME, name);
  replaceText(files, "\n1861\n", `\n${1000 + content}\n`);
  const { bytes, rootHash } = treeOf(files, superblock);
  bytes.copy(raw, tree.offsetBytes);
  sign(raw, rootHash, signer);

  const path = join(directory, extensionFileName({ name, version }));
  const manifest: ExtensionManifest = {
    schema: "ashlar.extension/v1",
    kind: "sysext",
    name,
    version,
    architecture: "x86-64",
    tier,
    host: { id: "ashlar", level: "1.0" },
    image: {
      sizeBytes: raw.length,
      sha256: hash("sha256", raw),
      rootHash,
      certificateSha256: hash("sha256", new X509Certificate(signer.certificatePem).raw),
    },
    behaviour: {
      ...NO_BEHAVIOUR,
      replaces: [`/usr/bin/${name}`],
      restart: [`${name}.service`],
      healthCheck: `/usr/lib/ashlar/health.d/${name}`,
    },
    packages: [],
    files: [],
    ...lie,
  };
  await mkdir(directory, { recursive: true });
  await writeFile(path, raw);
  await writeFile(path.replace(/raw$/u, "manifest.json"), JSON.stringify(manifest));
  await writeFile(path.replace(/raw$/u, "sbom.cdx.json"), "{}");
  return path;
}

function replaceText(bytes: Buffer, from: string, to: string): void {
  if (from.length !== to.length) throw new RangeError(`${to} has another length than ${from}`);
  for (let at = bytes.indexOf(from); at !== -1; at = bytes.indexOf(from, at + 1)) bytes.write(to, at, "latin1");
}

/** Fills the signature's partition, and gives the partitions the names that the root hash spells. */
function sign(raw: Buffer, rootHash: string, { privateKey, certificatePem }: ExtensionSigner): void {
  const ends = { primary: raw.subarray(0, GPT_PRIMARY_BYTES), backup: raw.subarray(-GPT_BACKUP_BYTES) };
  const { diskGuid, partitions } = parseGpt({ ...ends, sizeBytes: raw.length });
  const uuids = partitionUuidsOf(Buffer.from(rootHash, "hex"));
  const [data, tree, signature] = partitions;
  if (data === undefined || tree === undefined || signature === undefined) throw new RangeError("another vector");
  const named = [{ ...data, uuid: uuids.data }, { ...tree, uuid: uuids.hash }, signature];
  const { primary, backup } = writeGpt({ diskGuid, sizeBytes: raw.length, partitions: named });
  raw.set(primary);
  raw.set(backup, raw.length - backup.length);
  const text = JSON.stringify({
    rootHash,
    certificateFingerprint: hash("sha256", new X509Certificate(certificatePem).raw),
    signature: pkcs7(rootHash, privateKey.export({ type: "pkcs8", format: "pem" }), certificatePem),
  });
  raw.fill(0, signature.firstLba * 512, (signature.lastLba + 1) * 512);
  raw.write(text, signature.firstLba * 512, "latin1");
}

function pkcs7(content: string, privateKey: string, certificate: string): string {
  const directory = mkdtempSync(join(tmpdir(), "ashlar-signer-"));
  try {
    const signer = join(directory, "signer.pem");
    writeFileSync(signer, privateKey + certificate, { mode: 0o600 });
    const options = ["-binary", "-noattr", "-nocerts", "-md", "sha256", "-outform", "DER", "-signer", signer];
    return execFileSync("openssl", ["smime", "-sign", ...options], { input: content }).toString("base64");
  } finally {
    rmSync(directory, { recursive: true });
  }
}
