import { availableParallelism } from "node:os";
import { AshlarError, messageOf } from "@ashlar/base";
import { type BlockOwner, findBlockOwners, openErofs } from "@ashlar/formats";
import { openRegion, readRegionSync, type Region } from "../region.ts";
import { type VerityProblem, verifyVerity } from "../verity/verify-verity.ts";
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
    const filesAt = await findFiles(data, offsets, superblock.dataBlockSizeBytes, parts.mountPoint);
    const described = problems.map((problem) => describe(problem, parts, filesAt));
    if (badDataBlocks <= offsets.length) return described;
    return [...described, { message: `${name}: ${badDataBlocks} blocks in all do not match the hash tree` }];
  } catch (error) {
    // There is nothing that could be compared: no superblock, or one for other data.
    if (!(error instanceof AshlarError)) throw error;
    return [{ message: `${name} with ${hashName}: ${error.message}` }];
  }
}

type FilesAt = (offsetBytes: number) => { readonly files: readonly string[]; readonly reason: string };

function describe(problem: VerityProblem, { name, hashName }: VerifyFileSystemOptions, filesAt: FilesAt): ImageProblem {
  if (problem.kind === "root") {
    return { message: `${hashName}: expected root hash ${problem.expected}, found ${problem.found}` };
  }
  if (problem.kind === "hash-block") {
    return { message: `${hashName}: block ${problem.block} of the hash tree does not match the block above it` };
  }
  const { files, reason } = filesAt(problem.offsetBytes);
  const block: DamagedBlock = { number: problem.block, offsetBytes: problem.offsetBytes, files };
  const more = files.length > MAX_NAMED_FILES ? ` and ${files.length - MAX_NAMED_FILES} more` : "";
  const named = files.length === 0 ? `file unknown: ${reason}` : files.slice(0, MAX_NAMED_FILES).join(", ") + more;
  return { message: `${name}: block ${problem.block} is not as released (${named})`, block };
}

/** Looks up the files at damaged places; what is damaged is not read, so that names cannot come from changed bytes. */
async function findFiles(
  data: Region,
  offsets: readonly number[],
  blockSizeBytes: number,
  mountPoint: string,
): Promise<FilesAt> {
  if (offsets.length === 0) return () => ({ files: [], reason: "" });
  const region = await openRegion(data);
  await using _handle = region.handle;
  const readAny = readRegionSync(region);
  const read = (offsetBytes: number, sizeBytes: number): Uint8Array => {
    const damaged = offsets.find((bad) => offsetBytes < bad + blockSizeBytes && offsetBytes + sizeBytes > bad);
    if (damaged === undefined) return readAny(offsetBytes, sizeBytes);
    throw new AshlarError("untrusted", `block ${damaged / blockSizeBytes} is damaged`);
  };
  try {
    const image = openErofs(read, region.sizeBytes);
    const blockOf = (offset: number): number => Math.floor(offset / image.blockSizeBytes);
    const { owners, unreadable } = findBlockOwners(image, offsets.map(blockOf));
    const [first] = unreadable;
    const reason =
      first === undefined ? "it belongs to no file" : `${mountPoint}${first.path} cannot be read: ${first.reason}`;
    return (offset) => ({ files: pathsOf(owners.get(blockOf(offset)) ?? [], mountPoint), reason });
  } catch (error) {
    return () => ({ files: [], reason: `the file system cannot be read: ${messageOf(error)}` });
  }
}

/** Data tells more than metadata, of which a block holds that of many files. */
function pathsOf(owners: readonly BlockOwner[], mountPoint: string): string[] {
  const data = owners.filter(({ part }) => part === "data");
  return (data.length > 0 ? data : owners).map(({ path }) =>
    path === "/" && mountPoint !== "" ? mountPoint : mountPoint + path,
  );
}
