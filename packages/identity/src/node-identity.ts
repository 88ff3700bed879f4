import { canonicalJson } from "@ashlar/base";
import { sha256 } from "./expected-pcrs.ts";
import type { KnownRelease } from "./manifest.ts";

/** An extension that a node has merged: its name and the root hash of its verity tree. */
export type Extension = { readonly name: string; readonly rootHash: string };

/**
 * A node's identity: the SHA-256, in hexadecimal, of this value in canonical JSON (RFC 8785):
 *
 *     {"classConfig": SHA-256 of the class's Ignition config,
 *      "extensions":  [{"name", "rootHash"}, ...] sorted by name,
 *      "release":     the OS version,
 *      "uki":         Authenticode SHA-256 of the unified kernel image,
 *      "usr":         root hash of /usr}
 *
 * Nodes with one identity run the same filesystems under the same configuration. A node's own part (host name, join
 * token) is not in it. The UKI counts by its Authenticode digest since that is what firmware measures: a signature added
 * to the file changes nothing that runs.
 */
export function nodeIdentity(
  release: KnownRelease,
  classConfigSha256: string,
  extensions: readonly Extension[] = [],
): string {
  const value = {
    classConfig: classConfigSha256,
    extensions: extensions
      .map(({ name, rootHash }) => ({ name, rootHash }))
      .toSorted((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name))),
    release: release.version,
    uki: release.uki.authenticode,
    usr: release.usr.rootHash,
  };
  return sha256(canonicalJson(value));
}
