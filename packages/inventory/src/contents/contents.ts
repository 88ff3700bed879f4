import type { Running } from "@ashlar/fleet";
import { nodeIdentity } from "@ashlar/identity";
import type { ExtensionManifest } from "@ashlar/protocol";
import type { KnownRelease, ManifestFile, ManifestPackage } from "@ashlar/protocol/answers";

/** A release or an extension that nodes run, with what its manifest says of it. */
export type Part = {
  readonly kind: "release" | ExtensionManifest["kind"];
  readonly name: string;
  readonly version: string | null;
  /** Undefined when no manifest is known that is proved to be this part's. */
  readonly inside?: PartContents;
};

export type PartContents = {
  readonly packages: readonly ManifestPackage[];
  readonly files: readonly ManifestFile[];
  /** Digests of it as a whole, and what each is of. */
  readonly digests: readonly (readonly [sha256: string, of: string])[];
};

/** A release's manifest with its lists: a repository's summary has none, and answers nothing here. */
export type WholeRelease = KnownRelease & Required<Pick<KnownRelease, "packages" | "files">>;

export type Manifests = {
  readonly releases: readonly WholeRelease[];
  readonly extensions: readonly ExtensionManifest[];
};

export function isWhole(release: KnownRelease): release is WholeRelease {
  return release.packages !== undefined && release.files !== undefined;
}

/**
 * The release of a manifest is the one that runs when it gives the proved identity: the version alone can be another build's.
 */
export function isReleaseOf(release: KnownRelease, { identity, config, extensions }: Running): boolean {
  return config !== null && nodeIdentity(release, config, extensions) === identity;
}

/** What nodes run, part by part: the release first, then extensions, each named by the root hash that was measured. */
export function partsOf(running: Running, { releases, extensions }: Manifests): Part[] {
  const release = releases.find((each) => isReleaseOf(each, running));
  const parts: Part[] = [
    {
      kind: "release",
      name: "ashlar",
      version: running.release,
      ...(release === undefined ? {} : { inside: insideRelease(release) }),
    },
  ];
  for (const { kind, name, version, rootHash } of running.extensions) {
    const found = extensions.find(
      (each) => each.kind === kind && each.name === name && each.image.rootHash === rootHash,
    );
    const inside = found === undefined ? {} : { inside: insideExtension(found) };
    parts.push({ kind, name, version: found?.version ?? version, ...inside });
  }
  return parts;
}

function insideRelease({ packages, files, uki, usr, bootLoader }: WholeRelease): PartContents {
  return {
    packages,
    files,
    digests: [
      [uki.sha256, "its UKI"],
      [uki.authenticode, "its UKI (Authenticode)"],
      [usr.sha256, "its image of /usr"],
      [usr.rootHash, "the root hash of its /usr"],
      [bootLoader.sha256, "its systemd-boot"],
    ],
  };
}

function insideExtension({ packages, files, image }: ExtensionManifest): PartContents {
  return {
    packages,
    files,
    digests: [
      [image.sha256, "its image"],
      [image.rootHash, "its root hash"],
    ],
  };
}

/** "release 1.0.0", "sysext kubernetes v1.33.4" */
export function titleOf({ kind, name, version }: Part): string {
  return kind === "release"
    ? `release ${version ?? "unknown"}`
    : `${kind} ${name} ${version ?? "of an unknown version"}`;
}
