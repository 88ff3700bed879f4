import { stat } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError, messageOf } from "@ashlar/base";
import { listDirectory, readText } from "@ashlar/host";
import type { ExtensionManifest } from "@ashlar/protocol";
import { parseExtensionManifest } from "@ashlar/protocol/answers";
import { knownExtensionOf, type KnownExtension } from "@ashlar/identity";
import type { RepositoryIndex } from "@ashlar/repository-index";

/** All versions of all extensions in a repository, also withdrawn ones: nodes may still have them. */
export function extensionsOf({ extensions }: RepositoryIndex): KnownExtension[] {
  return [...extensions.values()].flatMap((versions) => Array.from(versions.values()));
}

/**
 * Extensions whose manifests were given by hand.
 *
 * @param places files, or directories of `*.manifest.json`
 * @throws AshlarError `not-found`, and whatever `parseExtensionManifest` throws
 */
export async function readExtensions(places: readonly string[]): Promise<KnownExtension[]> {
  return (await readExtensionManifests(places)).map(knownExtensionOf);
}

/** The same with all that they say. */
export async function readExtensionManifests(places: readonly string[]): Promise<ExtensionManifest[]> {
  const paths = (await Promise.all(places.map(manifestsAt))).flat();
  const manifests: ExtensionManifest[] = [];
  for (const path of paths) manifests.push(parseExtensionManifest(await readText(path, "an extension's manifest")));
  return manifests;
}

/** More than anybody keeps in one directory. */
const MAX_ENTRIES = 10_000;

async function manifestsAt(place: string): Promise<string[]> {
  let names: string[];
  try {
    if (!(await stat(place)).isDirectory()) return [place];
    const entries = await listDirectory(place, MAX_ENTRIES, { links: "follow" });
    names = entries.map(({ name }) => name).filter((name) => name.endsWith(".manifest.json"));
  } catch (error) {
    if (error instanceof AshlarError) throw error;
    throw new AshlarError("not-found", `expected an extension's manifest: ${messageOf(error)}`);
  }
  if (names.length > 0) return names.map((name) => join(place, name));
  throw new AshlarError("not-found", `expected NAME-VERSION-x86-64.manifest.json in ${place}, found none`, {
    hint: "`ashlar extension build` writes it beside the image",
  });
}
