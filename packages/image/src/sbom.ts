import { Enums, Models, Serialize, Spec } from "@cyclonedx/cyclonedx-library";
import { packagePurl } from "@ashlar/inventory";
import type { ReleaseManifest } from "@ashlar/protocol/answers";

/** The release's packages as a CycloneDX 1.6 bill of materials, the same bytes for the same manifest. */
export function writeSbom(manifest: ReleaseManifest): string {
  const bom = new Models.Bom({
    version: 1,
    metadata: new Models.Metadata({
      component: new Models.Component(Enums.ComponentType.OperatingSystem, "ashlar", {
        version: manifest.version,
        bomRef: `ashlar@${manifest.version}`,
      }),
    }),
  });
  for (const each of manifest.packages) {
    const { name, version } = each;
    bom.components.add(new Models.Component(Enums.ComponentType.Library, name, { version, bomRef: packagePurl(each) }));
  }
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
}
