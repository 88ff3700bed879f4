import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError, messageOf } from "@ashlar/base";

/** The text of an image's manifest, given the directory that `ashlar image build` wrote or the file itself. */
export async function readManifestText(imageOrFile: string): Promise<string> {
  try {
    const isDirectory = (await stat(imageOrFile)).isDirectory();
    return await readFile(isDirectory ? join(imageOrFile, "manifest.json") : imageOrFile, "utf8");
  } catch (error) {
    throw new AshlarError("not-found", `expected an image's manifest.json: ${messageOf(error)}`, {
      hint: "`ashlar image build` writes it beside the image",
    });
  }
}

export async function readText(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new AshlarError("not-found", `expected ${what}: ${messageOf(error)}`);
  }
}
