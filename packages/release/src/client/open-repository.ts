import { hash } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import { findExtension } from "../model/edit-extensions.ts";
import { type ExtensionFileKind, extensionDirectory } from "../model/extension-entry.ts";
import type { ReleaseFileKind } from "../model/file-names.ts";
import type { PublishedFile } from "../model/index-fields.ts";
import type { ReleaseSummary } from "../model/release-summary.ts";
import { parseIndex, type ReleaseEntry, type RepositoryIndex } from "../model/repository-index.ts";
import { parseSummary } from "./parse-summary.ts";
import { readDocument } from "./read-document.ts";
import { createTransport, type Patience, type Transport } from "./transport.ts";
import { readTrustedTargets } from "./trusted-metadata.ts";

export type OpenRepositoryOptions = {
  /** `https://`, `http://` or `file://`: the directory that holds `metadata/`, `releases/` and `extensions/`. */
  readonly url: string;
  /** The TUF root role that this machine trusts: the bytes of `release-root.json`. */
  readonly trustedRoot: Uint8Array;
  /** Remembers what was seen, so that an older state of the repository is noticed; made when missing. */
  readonly stateDirectory: string;
  /** The time to compare expiry dates with: `Date.now()`. */
  readonly nowMs: number;
  readonly signal?: AbortSignal | undefined;
  /** For slow networks, and for tests. */
  readonly patience?: Partial<Patience>;
};

export type Repository = {
  readonly index: RepositoryIndex;
  /** Reads a small file of a release into memory, checked by the signed size and digest. */
  readonly readFile: (version: string, kind: ReleaseFileKind) => Promise<Buffer>;
  /** The same of an extension. */
  readonly readExtensionFile: (name: string, version: string, kind: ExtensionFileKind) => Promise<Buffer>;
  readonly readSummary: (version: string) => Promise<ReleaseSummary>;
  /** For the large files, which are checked while they come. */
  readonly transport: Transport;
};

/**
 * Reads a repository's signed index.
 *
 * @throws AshlarError `untrusted` (a signature, older or mixed metadata), `invalid` (expired: the message has the date and
 *   this machine's clock), `malformed`, `limit`, `unavailable`, `not-found`, `usage` (the URL)
 */
export async function openRepository(options: OpenRepositoryOptions): Promise<Repository> {
  const transport = createTransport(options.url, options.patience);
  const index = parseIndex(await readTrustedTargets({ ...options, transport }));
  const read = async (directory: string, { name, sizeBytes, sha256 }: PublishedFile): Promise<Buffer> => {
    const bytes = await readDocument(transport, `${directory}/${name}`, sizeBytes, options.signal);
    if (bytes.length === sizeBytes && hash("sha256", bytes) === sha256) return bytes;
    throw new AshlarError("untrusted", `${name} of ${transport.url} is not the file that was signed`, {
      hint: "the server sends something else: compare with `ashlar release verify`",
    });
  };
  const readFile: Repository["readFile"] = async (version, kind) =>
    await read("releases", findRelease(index, version).files[kind]);
  const readExtensionFile: Repository["readExtensionFile"] = async (name, version, kind) =>
    await read(extensionDirectory(name), findExtension(index, name, version).files[kind]);
  const readSummary = async (version: string): Promise<ReleaseSummary> => {
    const text = (await readFile(version, "summary")).toString("utf8");
    return parseSummary(text, findRelease(index, version));
  };
  return { index, readFile, readExtensionFile, readSummary, transport };
}

/** @throws AshlarError `not-found` */
export function findRelease(index: RepositoryIndex, version: string): ReleaseEntry {
  const release = index.releases.get(version);
  if (release !== undefined) return release;
  throw new AshlarError("not-found", `the repository has no release ${version}`);
}
