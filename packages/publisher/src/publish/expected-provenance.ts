/** What the provenance of something published has to say. */
import type { ExtensionManifest } from "@ashlar/protocol";
import type { ReleaseManifest } from "@ashlar/protocol/answers";
import { BUILD_TYPES, type ExpectedProvenance, parseSbomComponents } from "@ashlar/statements";

type Digests = { readonly manifest: string; readonly sbom: string };

/**
 * @param digests SHA-256 of manifest and bill of materials
 * @throws AshlarError `malformed` or `limit` for the bill of materials
 */
export function expectedOfRelease(
  { version, usr, uki, bootLoader }: ReleaseManifest,
  digests: Digests,
  sbom: string,
): Omit<ExpectedProvenance, "builder"> {
  return {
    buildType: BUILD_TYPES.image,
    parameters: { version },
    artifacts: [
      { name: "the manifest", sha256: digests.manifest },
      { name: "the bill of materials", sha256: digests.sbom },
      { name: "usr.erofs", sha256: usr.sha256 },
      { name: "usr.verity", sha256: usr.verity.sha256 },
      { name: "uki.efi", sha256: uki.sha256 },
      { name: "systemd-boot.efi", sha256: bootLoader.sha256 },
    ],
    components: parseSbomComponents(sbom),
  };
}

/** @throws AshlarError as {@link expectedOfRelease} */
export function expectedOfExtension(
  { kind, name, version, image }: ExtensionManifest,
  digests: Digests,
  sbom: string,
): Omit<ExpectedProvenance, "builder"> {
  return {
    buildType: BUILD_TYPES.extension,
    parameters: { kind, name, version },
    artifacts: [
      { name: "the image", sha256: image.sha256 },
      { name: "the manifest", sha256: digests.manifest },
      { name: "the bill of materials", sha256: digests.sbom },
    ],
    components: parseSbomComponents(sbom),
  };
}
