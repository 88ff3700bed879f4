import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { type Ddi, parseDdi } from "@ashlar/formats";
import { type ManifestFile, parseExtensionManifest } from "@ashlar/identity";
import {
  EXTENSION_MANIFEST_SCHEMA,
  type ExtensionContent,
  type ExtensionManifest,
  type ExtensionTier,
  readExtension,
} from "@ashlar/identity/extensions";
import { openRegion, readImageFiles, readRegionSync } from "@ashlar/image";

/**
 * States what an image is and holds, from the image itself: what was written can be read.
 *
 * @throws AshlarError as `parseDdi` and `readExtension` do
 */
export async function describeExtension(
  path: string,
  made: { readonly tier: ExtensionTier; readonly packages: ExtensionManifest["packages"] },
): Promise<ExtensionManifest> {
  const [sha256, { ddi, extension, files }] = await Promise.all([digestOf(path), readContent(path)]);
  const { kind, name, version, host, behaviour } = extension;
  const manifest: ExtensionManifest = {
    schema: EXTENSION_MANIFEST_SCHEMA,
    kind,
    name,
    version,
    architecture: "x86-64",
    tier: made.tier,
    host,
    image: {
      sizeBytes: (await stat(path)).size,
      sha256,
      rootHash: ddi.signed.rootHash,
      certificateSha256: ddi.signed.certificateSha256,
    },
    behaviour,
    packages: made.packages.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    files: files.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
  };
  return parseExtensionManifest(JSON.stringify(manifest));
}

async function digestOf(path: string): Promise<string> {
  const digest = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), digest);
  return digest.digest("hex");
}

type Content = {
  readonly ddi: Ddi;
  readonly extension: ExtensionContent;
  readonly files: readonly ManifestFile[];
};

async function readContent(path: string): Promise<Content> {
  const region = await openRegion({ path });
  await using _handle = region.handle;
  const read = readRegionSync(region);
  const ddi = parseDdi(read, region.sizeBytes);
  const { offsetBytes, sizeBytes } = ddi.data;
  const extension = readExtension((offset, size) => read(offsetBytes + offset, size), sizeBytes);
  const files: ManifestFile[] = [];
  for await (const file of readImageFiles(extension.image, "")) files.push(file);
  return { ddi, extension, files };
}
