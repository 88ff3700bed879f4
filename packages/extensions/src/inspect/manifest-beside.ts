import { readFile } from "node:fs/promises";
import type { ExtensionManifest } from "@ashlar/protocol";

/** Where an image's manifest lies: beside it. */
export function manifestPathOf(image: string): string {
  return `${image.replace(/\.raw$/u, "")}.manifest.json`;
}

/** @throws AshlarError as `parseExtensionManifest` does; undefined when there is none */
export async function readManifestBeside(image: string): Promise<ExtensionManifest | undefined> {
  const text = await readFile(manifestPathOf(image), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const { parseExtensionManifest } = await import("@ashlar/protocol/answers");
  return parseExtensionManifest(text);
}
