import { hash } from "node:crypto";
import { mkdir, open, stat, truncate } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { BuildTree } from "@ashlar/debian";
import { formatVerity } from "./verity/format-verity.ts";

export type UsrImage = {
  readonly path: string;
  readonly verityPath: string;
  readonly rootHash: string;
  /** In hexadecimal digits. */
  readonly salt: string;
  readonly verityUuid: string;
  readonly dataSizeBytes: number;
  readonly hashSizeBytes: number;
};

const BLOCK_BYTES = 4096;
/**
 * One salt for all releases: a node compares their hash trees to find the blocks that it has already. A salt keeps nobody
 * from computing anything, public as it is; ours only keeps this tree's digests apart from those of other systems.
 */
const USR_SALT_PHRASE = "ashlar usr";

/**
 * Makes the erofs image of an assembled `/usr`, with its dm-verity tree. The file system is made by the build tree's own
 * mkfs.erofs, so that it fits the node's kernel whatever the build host has.
 */
export async function makeUsrImage(
  build: BuildTree,
  usr: string,
  version: string,
  sourceDateEpoch: number,
  out: string,
): Promise<UsrImage> {
  const path = join(out, "usr.erofs");
  const verityPath = join(out, "usr.verity");
  await mkdir(build.path("mnt/usr"), { recursive: true });
  await build.run(
    "mkfs.erofs",
    [
      "--quiet",
      // The fastest to read of those within the size budget: a node under load decompresses all the time.
      "-zlz4hc,9",
      "-C65536",
      `-T${sourceDateEpoch}`,
      "--all-time",
      "-U",
      uuidFor("erofs", version),
      "/mnt/out/usr.erofs",
      "/mnt/usr",
    ],
    { binds: { "/mnt/usr": usr, "/mnt/out": out } },
  );
  const { size } = await stat(path);
  await truncate(path, Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES);
  const salt = Buffer.from(hash("sha256", USR_SALT_PHRASE), "hex");
  const verityUuid = uuidFor("verity", version);
  const verity = await formatVerity({
    data: path,
    hash: verityPath,
    salt,
    uuid: verityUuid,
    threads: availableParallelism(),
  });
  return {
    path,
    verityPath,
    rootHash: verity.rootHash,
    salt: salt.toString("hex"),
    verityUuid,
    dataSizeBytes: (await stat(path)).size,
    hashSizeBytes: verity.hashSizeBytes,
  };
}

/** A UUID that follows from a purpose and a version (RFC 9562, version 8: made by a vendor's own rule). */
export function uuidFor(purpose: string, version: string): string {
  const digits = hash("sha256", `ashlar ${purpose} ${version}`).slice(0, 32);
  const versioned = `${digits.slice(0, 12)}8${digits.slice(13, 16)}8${digits.slice(17)}`;
  return versioned.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, "$1-$2-$3-$4-$5");
}

/** Copies a file into another at an offset; runs of zeros become holes. */
export async function copyInto(sourcePath: string, targetPath: string, offsetBytes: number): Promise<void> {
  await using source = await open(sourcePath, "r");
  await using target = await open(targetPath, "r+");
  const buffer = Buffer.alloc(COPY_BYTES);
  const zeros = Buffer.alloc(COPY_BYTES);
  let position = 0;
  for (;;) {
    const { bytesRead } = await source.read(buffer, 0, COPY_BYTES, position);
    if (bytesRead === 0) return;
    const chunk = buffer.subarray(0, bytesRead);
    if (!chunk.equals(zeros.subarray(0, bytesRead))) await target.write(chunk, 0, bytesRead, offsetBytes + position);
    position += bytesRead;
  }
}

const COPY_BYTES = 1024 * 1024;
