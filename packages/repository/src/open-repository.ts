import { hash } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import {
  findExtension,
  extensionDirectory,
  findRelease,
  parseIndex,
  parseSummary,
  type ExtensionFileKind,
  type ReleaseFileKind,
  type PublishedFile,
  type ReleaseSummary,
  type RepositoryIndex,
} from "@ashlar/repository-index";
import { readDocument } from "./read-document.ts";
import { createTransport } from "./transport/create-transport.ts";
import type { Patience, Transport } from "./transport/transport.ts";
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
  /** Origins beside the repository's own that it may redirect to. */
  readonly redirectsTo?: readonly string[] | undefined;
};

export type Repository = {
  readonly index: RepositoryIndex;
  /** When the index is no longer trusted, unless it is signed anew, milliseconds since 1970. */
  readonly expiresMs: number;
  /** Reads a small file of a release into memory, checked by the signed size and digest. */
  readonly readFile: (version: string, kind: ReleaseFileKind) => Promise<Buffer>;
  /** The same of an extension. */
  readonly readExtensionFile: (name: string, version: string, kind: ExtensionFileKind) => Promise<Buffer>;
  /** The same of any published file, by the directory where all of its kind lie. */
  readonly readPublished: (directory: string, file: PublishedFile) => Promise<Buffer>;
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
  const transport = createTransport(options.url, options.patience, options.redirectsTo);
  const { signed, expiresMs } = await readTrustedTargets({ ...options, transport });
  const index = parseIndex(signed);
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
  return { index, expiresMs, readFile, readExtensionFile, readPublished: read, readSummary, transport };
}
