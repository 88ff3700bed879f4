import { EXTENSION_MANIFEST_SCHEMA, type ExtensionManifest, type ExtensionTier } from "@ashlar/protocol";
import { readExtensionImage } from "../inspect/extension-image.ts";
import { digestOf } from "./digest-of.ts";

/**
 * States what an image is and holds, from the image itself: what was written can be read.
 *
 * @throws AshlarError as `readExtensionImage` does
 */
export async function describeExtension(
  path: string,
  made: { readonly tier: ExtensionTier; readonly packages: ExtensionManifest["packages"] },
): Promise<ExtensionManifest> {
  const [sha256, { ddi, sizeBytes, content, files }] = await Promise.all([
    digestOf(path),
    readExtensionImage(path, "trusted"),
  ]);
  const { kind, name, version, host, behaviour } = content;
  const { rootHash, certificateSha256 } = ddi.signed;
  return {
    schema: EXTENSION_MANIFEST_SCHEMA,
    kind,
    name,
    version,
    architecture: "x86-64",
    tier: made.tier,
    host,
    image: { sizeBytes, sha256, rootHash, certificateSha256 },
    behaviour,
    packages: made.packages.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    files,
  };
}
