/** Nodes and manifests for this package's tests. */
import type { Running } from "@ashlar/fleet";
import { nodeIdentity, type Level } from "@ashlar/identity";
import type { ExtensionManifest } from "@ashlar/protocol";
import type { ManifestFile, ManifestPackage } from "@ashlar/protocol/answers";
import { testExtension, testRelease } from "@ashlar/protocol/test-fixtures";
import type { WholeRelease } from "./contents/contents.ts";
import type { KnownNode } from "./contents/known-node.ts";

export const CONFIG: string = "c".repeat(64);

export function deb(name: string, version: string, source?: string, sourceVersion: string = version): ManifestPackage {
  const built = source === undefined ? {} : { source: { name: source, version: sourceVersion } };
  return { name, version, architecture: "amd64", ...built };
}

export function file(path: string, sha256: string): ManifestFile {
  return { type: "file", path, sizeBytes: 1, sha256: sha256.repeat(64).slice(0, 64) };
}

export function release(
  version: string,
  packages: readonly ManifestPackage[],
  files: readonly ManifestFile[] = [],
): WholeRelease {
  return { ...testRelease(version, version, files), packages };
}

export function extension(
  name: string,
  version: string,
  more: Partial<Pick<ExtensionManifest, "kind" | "packages" | "files">> = {},
): ExtensionManifest {
  return { ...testExtension(name, version), ...more };
}

export function node(
  name: string,
  of: WholeRelease,
  extensions: readonly ExtensionManifest[] = [],
  level: Level = "proven",
): KnownNode {
  return { name, level, running: runningOf(of, extensions) };
}

export function runningOf(
  of: WholeRelease,
  extensions: readonly ExtensionManifest[] = [],
  config: string = CONFIG,
): Running {
  const merged = extensions.map(({ kind, name, version, image }) => ({
    kind,
    name,
    version,
    rootHash: image.rootHash,
  }));
  return { identity: nodeIdentity(of, config, merged), release: of.version, config, extensions: merged };
}
