import type { ReleaseManifest } from "@ashlar/protocol/answers";

/** What a node has to know of a release: the manifest without its 2 MB of packages and files. */
export type ReleaseSummary = Omit<ReleaseManifest, "packages" | "files">;

export function summaryOf(manifest: ReleaseManifest): ReleaseSummary {
  const { packages: _packages, files: _files, ...summary } = manifest;
  return summary;
}
