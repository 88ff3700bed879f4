import { Enums, Models, Serialize, Spec } from "@cyclonedx/cyclonedx-library";
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
  for (const { name, version, architecture } of manifest.packages) {
    // Package URL type "deb": https://github.com/package-url/purl-spec, PURL-TYPES.
    const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}&distro=trixie`;
    bom.components.add(new Models.Component(Enums.ComponentType.Library, name, { version, bomRef: purl }));
  }
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
}
