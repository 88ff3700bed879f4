/** Signed extension images for tests, made of the files that a test names. */
import { execFileSync } from "node:child_process";
import { createPrivateKey, hash, type KeyObject, X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  DDI_TYPES,
  GPT_BACKUP_BYTES,
  hashBlockDigests,
  PARTITION_ATTRIBUTES,
  partitionUuidsOf,
  SECTOR_BYTES,
  signRootHash,
  upperVerityLevels,
  verityLayout,
  writeGpt,
  writeSignaturePartition,
  writeVeritySuperblock,
} from "@ashlar/formats";
import { behaviourPath, type ExtensionBehaviour, type ExtensionKind, extensionFileName } from "@ashlar/protocol";

export type TestSigner = {
  readonly privateKey: KeyObject;
  readonly certificate: X509Certificate;
  readonly pem: string;
};

export type TestImage = {
  readonly kind?: ExtensionKind;
  readonly name: string;
  readonly version: string;
  /** Paths below the root, with their content. */
  readonly files?: Readonly<Record<string, string>>;
  readonly behaviour?: Partial<ExtensionBehaviour>;
  /** Fields of extension-release that are other than right. */
  readonly release?: Readonly<Record<string, string>>;
};

const BLOCK_BYTES = 4096;
const DATA_OFFSET = 20_480;

export function makeTestSigner(): TestSigner {
  const directory = mkdtempSync(join(tmpdir(), "ashlar-signer-"));
  const [key, certificate] = [join(directory, "key.pem"), join(directory, "certificate.pem")];
  const subject = ["-subj", "/CN=test extensions", "-days", "2"];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  execFileSync("openssl", ["req", "-x509", ...kind, ...subject, "-keyout", key, "-out", certificate], {
    stdio: "pipe",
  });
  const pem = readFileSync(certificate, "utf8");
  const signer = { privateKey: createPrivateKey(readFileSync(key)), certificate: new X509Certificate(pem), pem };
  rmSync(directory, { recursive: true });
  return signer;
}

/** Writes `NAME-VERSION-x86-64.raw` below `store/NAME`, and gives its path. */
export function writeTestImage(store: string, signer: TestSigner, image: TestImage): string {
  const path = join(store, image.name, extensionFileName(image));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, imageBytes(signer, image));
  return path;
}

function imageBytes(signer: TestSigner, image: TestImage): Buffer {
  const data = fileSystem(image);
  const { tree, rootHash } = hashTree(data);
  const uuids = partitionUuidsOf(Buffer.from(rootHash, "hex"));
  const signature = writeSignaturePartition(signRootHash(rootHash, signer));
  const parts = [
    { role: "data", uuid: uuids.data, bytes: data },
    { role: "tree", uuid: uuids.hash, bytes: tree },
    { role: "signature", uuid: "00000000-0000-4000-8000-000000000001", bytes: signature },
  ] as const;
  let offset = DATA_OFFSET;
  const placed = parts.map(({ role, uuid, bytes }) => {
    const firstLba = offset / SECTOR_BYTES;
    offset += bytes.length;
    const lastLba = offset / SECTOR_BYTES - 1;
    return {
      type: DDI_TYPES.root[role],
      uuid,
      label: role,
      firstLba,
      lastLba,
      attributes: PARTITION_ATTRIBUTES.readOnly,
    };
  });
  const sizeBytes = Math.ceil((offset + GPT_BACKUP_BYTES) / BLOCK_BYTES) * BLOCK_BYTES;
  const gpt = writeGpt({ diskGuid: "00000000-0000-4000-8000-000000000000", sizeBytes, partitions: placed });
  const whole = Buffer.alloc(sizeBytes);
  whole.set(gpt.primary);
  whole.set(gpt.backup, sizeBytes - gpt.backup.length);
  for (const [index, { bytes }] of parts.entries()) whole.set(bytes, (placed[index]?.firstLba ?? 0) * SECTOR_BYTES);
  return whole;
}

function fileSystem({ kind = "sysext", name, version, files = {}, behaviour, release = {} }: TestImage): Buffer {
  const directory = mkdtempSync(join(tmpdir(), "ashlar-tree-"));
  const write = (path: string, content: string): void => {
    const target = join(directory, "tree", path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
  };
  const fields = {
    ID: "ashlar",
    [kind === "sysext" ? "SYSEXT_LEVEL" : "CONFEXT_LEVEL"]: "1.0",
    ARCHITECTURE: "x86-64",
    IMAGE_ID: name,
    IMAGE_VERSION: version,
    ...release,
  };
  const text = Object.entries(fields).map(([field, value]) => `${field}=${value}\n`);
  write(`${kind === "sysext" ? "usr/lib" : "etc"}/extension-release.d/extension-release.${name}`, text.join(""));
  if (behaviour !== undefined) write(behaviourPath(kind, name), JSON.stringify(behaviour));
  for (const [path, content] of Object.entries(files)) write(path, content);
  try {
    const out = join(directory, "image");
    execFileSync("mkfs.erofs", ["--quiet", "-T0", "-x-1", "--all-root", out, join(directory, "tree")], {
      stdio: "pipe",
    });
    const bytes = readFileSync(out);
    return Buffer.concat([bytes, Buffer.alloc(-bytes.length & (BLOCK_BYTES - 1))]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function hashTree(data: Buffer): { readonly tree: Buffer; readonly rootHash: string } {
  const parameters = {
    algorithm: "sha256",
    salt: Buffer.from(hash("sha256", "test"), "hex"),
    dataBlocks: data.length / BLOCK_BYTES,
    dataBlockSizeBytes: BLOCK_BYTES,
    hashBlockSizeBytes: BLOCK_BYTES,
  } as const;
  const { levels, hashSizeBytes } = verityLayout(parameters);
  const leaves = Buffer.alloc((levels[0]?.blocks ?? 0) * BLOCK_BYTES);
  const digests = hashBlockDigests(parameters, data);
  leaves.set(digests.subarray(0, leaves.length));
  const upper = upperVerityLevels(parameters, levels.length === 0 ? digests : hashBlockDigests(parameters, leaves));
  const tree = Buffer.alloc(hashSizeBytes);
  tree.set(writeVeritySuperblock({ ...parameters, uuid: "00000000-0000-4000-8000-000000000002" }));
  for (const [index, level] of [leaves, ...upper.levels].entries()) tree.set(level, levels[index]?.offsetBytes ?? 0);
  return { tree, rootHash: Buffer.from(upper.rootHash).toString("hex") };
}
