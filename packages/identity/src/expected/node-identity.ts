import { canonicalJson } from "@ashlar/base";
import { sha256 } from "@ashlar/formats";
import type { MeasuredExtension } from "@ashlar/protocol";
import type { KnownRelease } from "@ashlar/protocol/answers";

/**
 * A node's identity: the SHA-256, in hexadecimal, of this value in canonical JSON (RFC 8785):
 *
 *     {"classConfig": SHA-256 of the class's Ignition config,
 *      "extensions":  [{"kind", "name", "rootHash"}, ...] of all that is merged, sorted by name, then kind,
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
  extensions: readonly MeasuredExtension[] = [],
): string {
  const value = {
    classConfig: classConfigSha256,
    extensions: extensions
      .map(({ kind, name, rootHash }) => ({ kind, name, rootHash }))
      .toSorted((a, b) => (`${a.name}:${a.kind}` < `${b.name}:${b.kind}` ? -1 : 1)),
    release: release.version,
    uki: release.uki.authenticode,
    usr: release.usr.rootHash,
  };
  return sha256(canonicalJson(value));
}
