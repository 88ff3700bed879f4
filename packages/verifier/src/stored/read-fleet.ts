import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { listDirectory, readLimited, readOptional } from "@ashlar/host";
import type { KnownExtension } from "@ashlar/identity";
import { parseOwnDocument, parseKnownRelease, type KnownRelease } from "@ashlar/protocol/answers";
import { z } from "zod";
import { knownExtensionSchema } from "../declared/extension-schemas.ts";
import { fleetDocumentSchema, MAX_FLEET_BYTES } from "./fleet-document.ts";
import {
  ANSWER,
  CLOUD_ROOTS,
  EK_ROOTS,
  EXTENSIONS,
  FLEET,
  MANIFEST,
  MAX_NODES,
  RELEASE_FILE,
  RELEASES,
  SHARED_NAMES,
} from "./layout.ts";

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
/** Files of others may lie beside ours, within reason. */
const MAX_OTHERS = 1000;

const extensionsSchema: z.ZodType<KnownExtension[]> = z.array(knownExtensionSchema);

/**
 * @throws AshlarError `not-found` when the directory holds no evidence, `malformed`, `invalid` or `limit` when it is not
 *   what it has to be, `failed` when it cannot be read
 */
export async function readStoredFleet(directory: string): Promise<FoundFleet> {
  const nodes = await readNodeNames(directory);
  if (nodes === undefined) {
    throw new AshlarError("not-found", `expected evidence in ${directory}, found no ${FLEET}`, {
      hint: "`ashlar prove --evidence DIR` writes it",
    });
  }
  const manifest = await readLimited(join(directory, MANIFEST), MAX_SHARED_FILE_BYTES, {
    what: "a release's manifest",
  });
  const ekRoots = await readOptional(join(directory, EK_ROOTS), MAX_SHARED_FILE_BYTES);
  const cloudRoots = await readOptional(join(directory, CLOUD_ROOTS), MAX_SHARED_FILE_BYTES);
  const known = await readReleases(join(directory, RELEASES));
  const extensions = await readExtensions(join(directory, EXTENSIONS));
  const strangers = await findStrangers(directory, nodes);
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
export async function readNodeNames(directory: string): Promise<readonly string[] | undefined> {
  const path = join(directory, FLEET);
  const text = await readOptional(path, MAX_FLEET_BYTES);
  return text && parseOwnDocument(text.toString("utf8"), fleetDocumentSchema, path, MAX_FLEET_BYTES).nodes;
}

async function findStrangers(directory: string, nodes: readonly string[]): Promise<string[]> {
  const known = new Set([...nodes, ...SHARED_NAMES]);
  const unknown: string[] = [];
  for (const entry of await listDirectory(directory, MAX_NODES + MAX_OTHERS, { links: "follow" })) {
    if (!entry.isDirectory() || known.has(entry.name) || entry.name.startsWith(".")) continue;
    const inside = await listDirectory(join(directory, entry.name), MAX_OTHERS);
    if (inside.some(({ name }) => name === ANSWER)) unknown.push(entry.name);
  }
  return unknown;
}

/** None in a directory from before there were any. */
async function readReleases(directory: string): Promise<KnownRelease[]> {
  const known: KnownRelease[] = [];
  let remainingBytes = MAX_RELEASES_BYTES;
  for (const { name } of await listDirectory(directory, MAX_RELEASES + MAX_OTHERS)) {
    const ukiSha256 = RELEASE_FILE.exec(name)?.groups?.["ukiSha256"];
    if (ukiSha256 === undefined) continue;
    const path = join(directory, name);
    if (known.length === MAX_RELEASES) {
      throw new AshlarError("limit", `${directory}: expected at most ${MAX_RELEASES} releases, found more`);
    }
    const bytes = await readLimited(path, remainingBytes, { what: "a release" }).catch((error: unknown) => {
      if (!(error instanceof AshlarError) || error.code !== "limit") throw error;
      throw new AshlarError("limit", `${directory}: expected at most ${MAX_RELEASES_BYTES} bytes in all, found more`);
    });
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
async function readExtensions(path: string): Promise<KnownExtension[]> {
  const bytes = await readOptional(path, MAX_FLEET_BYTES);
  return bytes === undefined ? [] : parseOwnDocument(bytes.toString("utf8"), extensionsSchema, path, MAX_FLEET_BYTES);
}
