import { AshlarError, messageOf } from "@ashlar/base";
import { type BlockOwner, findBlockOwners, openErofs } from "@ashlar/formats";
import { openRegion, readRegionSync, type Region } from "../region.ts";

/** The files at an offset, as paths on the node, or the reason why none is known. */
export type FilesAt = (offsetBytes: number) => { readonly files: readonly string[]; readonly reason: string };

/**
 * Looks up the files at damaged places of an erofs file system; what is damaged is not read, so that no name comes from changed
 * bytes.
 *
 * @param offsets where the damaged blocks begin, in bytes
 * @param mountPoint the file system's root on the node
 * @throws AshlarError `not-found`, `invalid` when `data` cannot be opened
 */
export async function findDamagedFiles(
  data: Region,
  offsets: readonly number[],
  blockSizeBytes: number,
  mountPoint: "/usr" | "",
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
