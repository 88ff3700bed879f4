import { stat } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { readText } from "@ashlar/host";

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
