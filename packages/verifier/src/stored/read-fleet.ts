import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import type { KnownExtension } from "@ashlar/identity";
import { parseOwnDocument, parseKnownRelease, type KnownRelease } from "@ashlar/protocol/answers";
import { z } from "zod";
import { knownExtensionSchema } from "../declared/extension-schemas.ts";
import { fleetDocumentSchema, MAX_FLEET_BYTES } from "./fleet-document.ts";
import { CLOUD_ROOTS, EK_ROOTS, EXTENSIONS, FLEET, MANIFEST, RELEASE_FILE, RELEASES } from "./layout.ts";
import { findStrangers, listFleetFiles, pathOf, readFleetFile, type EvidencePlace } from "./place.ts";

/** What holds for all nodes of a directory of evidence. */
export type StoredFleet = {
  /** Names of all nodes that were asked, those that did not answer too. */
  readonly nodes: readonly string[];
  /** The text of the release's manifest. */
  readonly manifest: string;
  /** PEM of the trusted makers, when there were any. */
  readonly ekRoots: string | undefined;
  /** The same of the trusted clouds. */
  readonly cloudRoots?: string | undefined;
  /** All releases that were known. */
  readonly known: readonly KnownRelease[];
  /** All published extensions that were known. */
  readonly extensions: readonly KnownExtension[];
};

export type FoundFleet = StoredFleet & {
  /** Names of directories that hold an answer although `fleet.json` does not know such a node. */
  readonly strangers: readonly string[];
};

/** Both are parsed with limits of their own. */
export const MAX_SHARED_FILE_BYTES: number = 64 * 1024 * 1024;
export const MAX_RELEASES = 1000;
/** A manifest with all its files is about 3 MB, and without them 3 kB. */
export const MAX_RELEASES_BYTES: number = 64 * 1024 * 1024;

const extensionsSchema: z.ZodType<KnownExtension[]> = z.array(knownExtensionSchema);

/**
 * @throws AshlarError `not-found` when the directory holds no evidence, `malformed`, `invalid` or `limit` when it is not
 *   what it has to be, `failed` when it cannot be read
 */
export async function readStoredFleet(place: EvidencePlace): Promise<FoundFleet> {
  const path = pathOf(place);
  const nodes = await readNodeNames(place);
  if (nodes === undefined) {
    throw new AshlarError("not-found", `expected evidence in ${path}, found no ${FLEET}`, {
      hint: "`ashlar prove --evidence PLACE` writes it",
    });
  }
  const manifest = await readFleetFile(place, MANIFEST, MAX_SHARED_FILE_BYTES);
  if (manifest === undefined)
    throw new AshlarError("not-found", `expected a release's manifest at ${join(path, MANIFEST)}, found none`);
  const ekRoots = await readFleetFile(place, EK_ROOTS, MAX_SHARED_FILE_BYTES);
  const cloudRoots = await readFleetFile(place, CLOUD_ROOTS, MAX_SHARED_FILE_BYTES);
  const known = await readReleases(place);
  const extensions = await readExtensions(place);
  const strangers = await findStrangers(place, nodes);
  return {
    nodes,
    manifest: manifest.toString("utf8"),
    ekRoots: ekRoots?.toString("utf8"),
    ...(cloudRoots === undefined ? {} : { cloudRoots: cloudRoots.toString("utf8") }),
    known,
    extensions,
    strangers,
  };
}

/** The nodes in `fleet.json`, or undefined when there is no such file. */
export async function readNodeNames(place: EvidencePlace): Promise<readonly string[] | undefined> {
  const path = join(pathOf(place), FLEET);
  const text = await readFleetFile(place, FLEET, MAX_FLEET_BYTES);
  return text && parseOwnDocument(text.toString("utf8"), fleetDocumentSchema, path, MAX_FLEET_BYTES).nodes;
}

/** None in a directory from before there were any. */
async function readReleases(place: EvidencePlace): Promise<KnownRelease[]> {
  const directory = join(pathOf(place), RELEASES);
  const known: KnownRelease[] = [];
  let remainingBytes = MAX_RELEASES_BYTES;
  for (const name of await listFleetFiles(place, RELEASES, MAX_RELEASES)) {
    const ukiSha256 = RELEASE_FILE.exec(name)?.groups?.["ukiSha256"];
    if (ukiSha256 === undefined) continue;
    const path = join(directory, name);
    if (known.length === MAX_RELEASES) {
      throw new AshlarError("limit", `${directory}: expected at most ${MAX_RELEASES} releases, found more`);
    }
    const bytes = await readFleetFile(place, join(RELEASES, name), remainingBytes).catch((error: unknown) => {
      if (!(error instanceof AshlarError) || error.code !== "limit") throw error;
      throw new AshlarError("limit", `${directory}: expected at most ${MAX_RELEASES_BYTES} bytes in all, found more`);
    });
    if (bytes === undefined) throw new AshlarError("not-found", `expected a release at ${path}, found none`);
    remainingBytes -= bytes.length;
    known.push(readRelease(bytes.toString("utf8"), path, ukiSha256));
  }
  return known;
}

function readRelease(text: string, path: string, ukiSha256: string): KnownRelease {
  const release = parseKnownRelease(text);
  if (release.uki.sha256 === ukiSha256) return release;
  throw new AshlarError(
    "invalid",
    `${path}: expected the release with this UKI, found the one of ${release.uki.sha256}`,
  );
}

/** None in a directory from before there were any. */
async function readExtensions(place: EvidencePlace): Promise<KnownExtension[]> {
  const path = join(pathOf(place), EXTENSIONS);
  const bytes = await readFleetFile(place, EXTENSIONS, MAX_FLEET_BYTES);
  return bytes === undefined ? [] : parseOwnDocument(bytes.toString("utf8"), extensionsSchema, path, MAX_FLEET_BYTES);
}
