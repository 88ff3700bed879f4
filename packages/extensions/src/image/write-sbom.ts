import { Enums, Models, Serialize, Spec } from "@cyclonedx/cyclonedx-library";
import { packagePurl } from "@ashlar/inventory";
import type { ExtensionManifest } from "@ashlar/protocol";

/**
 * What an extension was made of as a CycloneDX 1.6 bill of materials, the same bytes for the same manifest: its packages,
 * or its files where nothing says which packages they came from.
 */
export function writeExtensionSbom({
  name,
  version,
  packages,
  files,
}: Pick<ExtensionManifest, "name" | "version" | "packages" | "files">): string {
  const bom = new Models.Bom({
    version: 1,
    metadata: new Models.Metadata({
      component: new Models.Component(Enums.ComponentType.Application, name, { version, bomRef: `${name}@${version}` }),
    }),
  });
  for (const each of packages) {
    const purl = packagePurl(each);
    bom.components.add(
      new Models.Component(Enums.ComponentType.Library, each.name, { version: each.version, bomRef: purl }),
    );
  }
  for (const file of packages.length === 0 ? files : []) {
    if (file.type !== "file") continue;
    const hashes = new Models.HashDictionary([[Enums.HashAlgorithm["SHA-256"], file.sha256]]);
    bom.components.add(
      new Models.Component(Enums.ComponentType.File, file.path, { bomRef: `file:${file.path}`, hashes }),
    );
  }
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
}
