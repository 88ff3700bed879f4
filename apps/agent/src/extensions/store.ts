import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "@ashlar/host";
import { parseExtensionFileName, extensionFileName } from "@ashlar/protocol";
import type { ExtensionPaths } from "../shared/node-paths.ts";

/** The versions of an extension of which there is a file in the store. */
export async function storedVersions({ store }: Pick<ExtensionPaths, "store">, name: string): Promise<string[]> {
  const files = await readdir(join(store, name)).catch((error: unknown) => {
    if (isMissing(error) || isNoDirectory(error)) return [];
    throw error;
  });
  return files.flatMap((file) => {
    const parsed = parseExtensionFileName(file);
    return parsed?.name === name ? [parsed.version] : [];
  });
}

export function imagePath({ store }: Pick<ExtensionPaths, "store">, name: string, version: string): string {
  return join(store, name, extensionFileName({ name, version }));
}

function isNoDirectory(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOTDIR";
}
