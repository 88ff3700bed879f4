import { hash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import type { ReleaseManifest } from "@ashlar/protocol/answers";

/** `sha256`: of the manifest. */
export type BaseRelease = { readonly manifest: ReleaseManifest; readonly sha256: string };

/**
 * The release that an extension is for: what it need not bring, and what it must not hide.
 *
 * @param path an image directory, or its manifest
 * @throws AshlarError `not-found`, and as `parseManifest` does
 */
export async function readBaseRelease(path: string): Promise<BaseRelease> {
  const found = await stat(path).catch(() => undefined);
  const manifest = found?.isDirectory() === true ? join(path, "manifest.json") : path;
  const text = await readFile(manifest, "utf8").catch((error: unknown) => {
    throw new AshlarError("not-found", `${manifest}: expected the manifest of a release, found none`, { cause: error });
  });
  const { parseManifest } = await import("@ashlar/protocol/answers");
  return { manifest: parseManifest(text), sha256: hash("sha256", text) };
}
