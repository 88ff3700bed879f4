import { availableParallelism } from "node:os";
import { AshlarError, firstOf } from "@ashlar/base";
import type { Region } from "../region.ts";
import { type VerityProblem, verifyVerity } from "../verity/verify-verity.ts";
import { type FilesAt, findDamagedFiles } from "./damaged-files.ts";
import type { DamagedBlock, ImageProblem } from "./image-problem.ts";

export type VerifyFileSystemOptions = {
  /** How messages call the data, for example `usr.erofs` or `disk.raw partition 2`. */
  readonly name: string;
  readonly data: Region;
  readonly hashName: string;
  readonly hash: Region;
  /** In hexadecimal digits. */
  readonly rootHash: string;
  /** The file system's root on the node, `/usr` or nothing. */
  readonly mountPoint: "/usr" | "";
};

const MAX_NAMED_FILES = 4;

/** Checks a file system's data against its root hash and names the files that the first damaged blocks belong to. */
export async function verifyFileSystem(parts: VerifyFileSystemOptions): Promise<ImageProblem[]> {
  const { name, data, hashName, hash, rootHash } = parts;
  try {
    const { problems, badDataBlocks, superblock } = await verifyVerity({
      data,
      hash,
      rootHash,
      threads: availableParallelism(),
    });
    const offsets = problems.flatMap((problem) => (problem.kind === "data-block" ? [problem.offsetBytes] : []));
    const filesAt = await findDamagedFiles(data, offsets, superblock.dataBlockSizeBytes, parts.mountPoint);
    const described = problems.map((problem) => describe(problem, parts, filesAt));
    if (badDataBlocks <= offsets.length) return described;
    return [...described, { message: `${name}: ${badDataBlocks} blocks in all do not match the hash tree` }];
  } catch (error) {
    // There is nothing that could be compared: no superblock, or one for other data.
    if (!(error instanceof AshlarError)) throw error;
    return [{ message: `${name} with ${hashName}: ${error.message}` }];
  }
}

function describe(problem: VerityProblem, { name, hashName }: VerifyFileSystemOptions, filesAt: FilesAt): ImageProblem {
  if (problem.kind === "root") {
    return { message: `${hashName}: expected root hash ${problem.expected}, found ${problem.found}` };
  }
  if (problem.kind === "hash-block") {
    return { message: `${hashName}: block ${problem.block} of the hash tree does not match the block above it` };
  }
  const { files, reason } = filesAt(problem.offsetBytes);
  const block: DamagedBlock = { number: problem.block, offsetBytes: problem.offsetBytes, files };
  const named = files.length === 0 ? `file unknown: ${reason}` : firstOf(files, MAX_NAMED_FILES);
  return { message: `${name}: block ${problem.block} is not as released (${named})`, block };
}
