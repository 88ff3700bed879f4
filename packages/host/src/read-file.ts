import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Dirent } from "node:fs";
import { lstat, open, opendir, type FileHandle } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";

export type ReadOptions = {
  /**
   * Whether the path's last name may be a link. A path that a user names may lead over links; what lies in a directory of
   * ours, or in one that somebody else has filled, may not.
   */
  readonly links?: "follow" | "refuse";
};

/** Without O_NONBLOCK a FIFO would wait for a writer; with O_NOCTTY a terminal does not become ours. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Larger files are read in pieces of this size until they end. */
const PIECE_BYTES = 64 * 1024;

/**
 * The bytes of a regular file, or undefined when there is none. A device, a FIFO, a socket, a directory is refused without
 * waiting for it, and never more than `maxBytes` are read, whatever the file system says of the size: files of /proc say 0.
 *
 * @throws AshlarError `invalid` for anything but a regular file, `limit` when it is larger, `failed` when it cannot be read
 */
export async function readOptional(
  path: string,
  maxBytes: number,
  { links = "refuse" }: ReadOptions = {},
): Promise<Buffer | undefined> {
  const follow = links === "follow" ? 0 : constants.O_NOFOLLOW;
  let file: FileHandle;
  try {
    file = await open(path, OPEN_FLAGS | follow);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw whyNotOpened(path, error, await lstat(path).catch(() => undefined));
  }
  try {
    const found = await file.stat();
    if (!found.isFile()) throw notRegular(path, kindOf(found));
    if (found.size > maxBytes) throw tooLarge(path, maxBytes);
    return await readPieces(file, path, found.size, maxBytes);
  } catch (error) {
    throw asReadError(path, error);
  } finally {
    await file.close();
  }
}

/**
 * The same while everything else waits: for many small files on a local disk, of which each costs less than one turn through the
 * thread pool. Links are refused.
 *
 * @throws AshlarError as {@link readOptional}
 */
export function readOptionalSync(path: string, maxBytes: number): Buffer | undefined {
  let file: number;
  try {
    file = openSync(path, OPEN_FLAGS | constants.O_NOFOLLOW);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw whyNotOpened(
      path,
      error,
      attempt(() => lstatSync(path)),
    );
  }
  try {
    const found = fstatSync(file);
    if (!found.isFile()) throw notRegular(path, kindOf(found));
    if (found.size > maxBytes) throw tooLarge(path, maxBytes);
    const bytes = Buffer.allocUnsafe(Math.min(found.size, maxBytes) + 1);
    let total = 0;
    for (;;) {
      const bytesRead = readSync(file, bytes, total, bytes.length - total, null);
      if (bytesRead === 0) return bytes.subarray(0, total);
      total += bytesRead;
      // It has grown meanwhile, or is one whose size nobody knows.
      if (total === bytes.length) throw new AshlarError("invalid", `${path}: expected ${found.size} bytes, found more`);
    }
  } catch (error) {
    throw asReadError(path, error);
  } finally {
    closeSync(file);
  }
}

/**
 * Like {@link readOptional}, for a file that has to be there.
 *
 * @param what names it in the error, for example "an operator's key"
 * @throws AshlarError `not-found` when it is not there, and what {@link readOptional} throws
 */
export async function readLimited(
  path: string,
  maxBytes: number,
  { what = "a file", ...options }: ReadOptions & { readonly what?: string } = {},
): Promise<Buffer> {
  const bytes = await readOptional(path, maxBytes, options);
  if (bytes === undefined) throw new AshlarError("not-found", `expected ${what} at ${path}, found none`);
  return bytes;
}

/**
 * What a directory holds, sorted by name; nothing when it is missing. Links are not followed.
 *
 * @throws AshlarError `invalid` for anything but a directory, `limit` when it holds more, `failed` when it cannot be read
 */
export async function listDirectory(
  path: string,
  maxEntries: number,
  { links = "refuse" }: ReadOptions = {},
): Promise<readonly Dirent[]> {
  const entries: Dirent[] = [];
  try {
    if (links === "refuse" && !(await isDirectory(path))) return entries;
    for await (const entry of await opendir(path)) {
      if (entries.length === maxEntries) {
        throw new AshlarError("limit", `${path}: expected at most ${maxEntries} files, found more`);
      }
      entries.push(entry);
    }
  } catch (error) {
    if (isMissing(error)) return entries;
    throw asReadError(path, error);
  }
  return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Whether there is a directory, and no link to one.
 *
 * @throws AshlarError `invalid` when there is something else, `failed` when that cannot be found out
 */
export async function isDirectory(path: string): Promise<boolean> {
  try {
    return refuseOther(path, await lstat(path));
  } catch (error) {
    if (isMissing(error)) return false;
    throw asReadError(path, error);
  }
}

/** The same, while everything else waits. */
export function isDirectorySync(path: string): boolean {
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    return found !== undefined && refuseOther(path, found);
  } catch (error) {
    throw asReadError(path, error);
  }
}

function refuseOther(path: string, found: Kinds): true {
  if (found.isDirectory()) return true;
  throw new AshlarError("invalid", `${path}: expected a directory, found ${kindOf(found)}`);
}

/** Whether an error of the file system says that there is no such file. */
export function isMissing(error: unknown): boolean {
  return errorCodeOf(error) === "ENOENT";
}

async function readPieces(file: FileHandle, path: string, sizeBytes: number, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let total = 0;
  // One byte more than the file says it has: usually the first piece is all of it.
  let piece = Buffer.allocUnsafe(sizeBytes === 0 ? PIECE_BYTES : sizeBytes + 1);
  for (;;) {
    const { bytesRead } = await file.read(piece, 0, piece.length, null);
    if (bytesRead === 0) break;
    total += bytesRead;
    if (total > maxBytes) throw tooLarge(path, maxBytes);
    pieces.push(piece.subarray(0, bytesRead));
    piece = Buffer.allocUnsafe(PIECE_BYTES);
  }
  const [only, ...more] = pieces;
  return only !== undefined && more.length === 0 ? only : Buffer.concat(pieces);
}

/** O_NOFOLLOW answers ELOOP for a link, and so does a link to itself; a socket answers ENXIO. */
function whyNotOpened(path: string, error: unknown, found: Kinds | undefined): AshlarError {
  if (found === undefined || found.isFile() || found.isDirectory()) return asReadError(path, error);
  return notRegular(path, kindOf(found));
}

function attempt<Value>(look: () => Value): Value | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

function notRegular(path: string, found: string): AshlarError {
  return new AshlarError("invalid", `${path}: expected a regular file, found ${found}`);
}

function tooLarge(path: string, maxBytes: number): AshlarError {
  return new AshlarError("limit", `${path}: expected at most ${maxBytes} bytes, found more`);
}

function asReadError(path: string, error: unknown): AshlarError {
  if (error instanceof AshlarError) return error;
  const code = errorCodeOf(error);
  if (code === undefined) throw error;
  if (code === "ENOTDIR") return new AshlarError("invalid", `${path}: expected a directory above it, found a file`);
  return new AshlarError("failed", `${path}: expected a file that can be read, found ${code}`, { cause: error });
}

function errorCodeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

type Kinds = Pick<
  Dirent,
  "isFile" | "isDirectory" | "isSymbolicLink" | "isFIFO" | "isSocket" | "isBlockDevice" | "isCharacterDevice"
>;

/** What something in a file system is, for a message. */
export function kindOf(found: Kinds): string {
  if (found.isFile()) return "a file";
  if (found.isDirectory()) return "a directory";
  if (found.isSymbolicLink()) return "a link";
  if (found.isFIFO()) return "a FIFO";
  if (found.isSocket()) return "a socket";
  return found.isBlockDevice() || found.isCharacterDevice() ? "a device" : "something else";
}
