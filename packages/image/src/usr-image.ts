import { hash } from "node:crypto";
import { mkdir, stat, truncate } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { BuildTree } from "@ashlar/debian";
import { formatVerity, uuidFor } from "@ashlar/volumes";

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
