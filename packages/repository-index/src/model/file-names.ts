/** What a release consists of in a repository. Every file lies in `releases/` and never changes once published. */
export const RELEASE_FILE_KINDS = [
  /** The whole manifest: packages and files too. */
  "manifest",
  /** The manifest without packages and files: what a node reads. */
  "summary",
  "sbom",
  /** For systemd-sysupdate alone: whole files, compressed with xz. */
  "usrArchive",
  "verityArchive",
  "ukiArchive",
  /** For a node, which fetches only the blocks of /usr that it does not have; the hash tree is in there too. */
  "usrBlocks",
  "uki",
] as const;
export type ReleaseFileKind = (typeof RELEASE_FILE_KINDS)[number];

export function forEachFileKind<T>(make: (kind: ReleaseFileKind) => T): Record<ReleaseFileKind, T> {
  const entries = RELEASE_FILE_KINDS.map((kind) => [kind, make(kind)] as const);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.fromEntries cannot say that it has every kind
  return Object.fromEntries(entries) as Record<ReleaseFileKind, T>;
}

/** The names follow from the version and, since systemd-sysupdate takes them from there, the partitions' UUIDs. */
export function releaseFileNames(release: {
  readonly version: string;
  readonly usr: { readonly dataPartitionUuid: string; readonly hashPartitionUuid: string };
}): Record<ReleaseFileKind | "provenance", string> {
  const stem = `ashlar_${release.version}`;
  return {
    manifest: `${stem}.manifest.json`,
    summary: `${stem}.json`,
    sbom: `${stem}.sbom.cdx.json`,
    usrArchive: `${stem}_${release.usr.dataPartitionUuid}.usr.raw.xz`,
    verityArchive: `${stem}_${release.usr.hashPartitionUuid}.usr-verity.raw.xz`,
    ukiArchive: `${stem}.efi.xz`,
    usrBlocks: `${stem}.usr.blocks`,
    uki: `${stem}.efi`,
    provenance: `${stem}.intoto.jsonl`,
  };
}
