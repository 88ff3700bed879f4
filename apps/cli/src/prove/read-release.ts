import { stat } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { readLimited } from "@ashlar/host";

/** What users name by a path is parsed with limits of its own; no such file is larger. */
const MAX_NAMED_FILE_BYTES = 64 * 1024 * 1024;

/** The text of an image's manifest, given the directory that `ashlar image build` wrote or the file itself. */
export async function readManifestText(imageOrFile: string): Promise<string> {
  const isDirectory = await stat(imageOrFile).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const path = isDirectory ? join(imageOrFile, "manifest.json") : imageOrFile;
  try {
    return await readText(path, "an image's manifest.json");
  } catch (error) {
    if (!(error instanceof AshlarError) || error.code !== "not-found") throw error;
    throw new AshlarError("not-found", error.message, { hint: "`ashlar image build` writes it beside the image" });
  }
}

/** The text of a file that a user has named. */
export async function readText(path: string, what: string): Promise<string> {
  return (await readNamedFile(path, what)).toString("utf8");
}

/** The bytes of a file that a user has named: links may lead to it, but it must be a regular file. */
export async function readNamedFile(path: string, what: string): Promise<Buffer> {
  return await readLimited(path, MAX_NAMED_FILE_BYTES, { what, links: "follow" });
}
