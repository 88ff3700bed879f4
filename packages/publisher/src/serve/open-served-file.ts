import { constants, fstatSync, readlinkSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { join, sep } from "node:path";

export type ServedFile = { readonly handle: FileHandle; readonly sizeBytes: number; readonly etag: string };

const MAX_PATH_CHARACTERS = 1024;

/**
 * Opens what a request's target names, if it is a regular file below `root`, and no part of its name begins with a dot.
 * Symbolic links are followed as long as they stay below `root`: what was opened decides, not what the name looked like.
 *
 * @param root a real path
 * @returns undefined for everything else
 */
export async function openServedFile(root: string, target: string): Promise<ServedFile | undefined> {
  const path = pathOf(target);
  if (path === undefined) return undefined;
  let handle: FileHandle;
  try {
    // A FIFO must not keep us waiting for a writer.
    handle = await open(join(root, path), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    // Both answers are in the kernel's memory: asking for them in another thread would take longer.
    const status = fstatSync(handle.fd, { bigint: true });
    const opened = readlinkSync(`/proc/self/fd/${handle.fd}`);
    if (status.isFile() && opened.startsWith(root.endsWith(sep) ? root : root + sep)) {
      const etag = `"${status.ino.toString(36)}-${status.mtimeNs.toString(36)}-${status.size.toString(36)}"`;
      return { handle, sizeBytes: Number(status.size), etag };
    }
  } catch {
    // Removed meanwhile.
  }
  await handle.close();
  return undefined;
}

function pathOf(target: string): string | undefined {
  if (target.length > MAX_PATH_CHARACTERS || !target.startsWith("/")) return undefined;
  const [encoded = ""] = target.split("?", 1);
  let path: string;
  try {
    path = decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
  const segments = path.slice(1).split("/");
  const isPlain = segments.every((segment) => segment !== "" && !segment.startsWith(".") && !segment.includes("\0"));
  return isPlain ? segments.join("/") : undefined;
}
