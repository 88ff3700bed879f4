import { mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { isMissing, writeFileAtomically } from "@ashlar/host";
import { reportText } from "@ashlar/host/terminal";

/** Our own files are smaller; anything larger was not written by us. */
const MAX_STATE_CHARACTERS = 1024 * 1024;

/**
 * The value in one of our own JSON files, or undefined when there is none that can be read: state that a broken disk has
 * eaten must not keep a node from updating.
 */
export async function readStateFile(path: string): Promise<unknown> {
  try {
    const text = await readFile(path, "utf8");
    return text.length > MAX_STATE_CHARACTERS ? undefined : JSON.parse(text);
  } catch (error) {
    if (!isMissing(error)) reportText(`${path} is ignored: ${String(error)}`);
    return undefined;
  }
}

/** When this returns the file is on the disk, whatever happens next. */
export async function writeStateFile(path: string, value: object): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFileAtomically(path, `${JSON.stringify(value)}\n`);
  await syncDirectory(dirname(path));
}

export async function removeStateFile(path: string): Promise<void> {
  await rm(path, { force: true });
  await syncDirectory(dirname(path)).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
}

/** Makes renames and removals in a directory last. */
export async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, "r");
  await directory.sync();
}
