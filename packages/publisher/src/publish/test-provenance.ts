/** For tests: provenance beside a test's image or extension, as the builds leave it. */
import { hash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseExtensionManifest, parseManifest } from "@ashlar/protocol/answers";
import { BUILD_TYPES, DEFAULT_BUILDER, makeProvenance, type ProvenanceInput } from "@ashlar/statements";

const PURL = "pkg:deb/debian/bash@5.2?arch=amd64&distro=trixie";
const SBOM = JSON.stringify({
  bomFormat: "CycloneDX",
  components: [{ type: "library", name: "bash", "bom-ref": PURL }],
});
const MATERIALS: ProvenanceInput["materials"] = [
  { uri: PURL, digest: { sha256: "b".repeat(64) }, annotations: { role: "content" } },
  { name: "ashlar", digest: { gitCommit: "a".repeat(40) }, annotations: { role: "source" } },
];

/** Replaces the bill of materials, too. */
export function writeImageProvenance(directory: string, change: Partial<ProvenanceInput> = {}): void {
  writeFileSync(join(directory, "sbom.cdx.json"), SBOM);
  const text = readFileSync(join(directory, "manifest.json"));
  const { version, usr, uki, bootLoader } = parseManifest(text.toString("utf8"));
  const digests = [hash("sha256", text), hash("sha256", SBOM), usr.sha256, usr.verity.sha256, uki.sha256];
  const statement = makeProvenance({
    buildType: BUILD_TYPES.image,
    externalParameters: { version },
    builder: { id: DEFAULT_BUILDER, version: {} },
    subjects: [...digests, bootLoader.sha256].map((sha256, at) => ({ name: `part ${at}`, sha256 })),
    materials: MATERIALS,
    ...change,
  });
  writeFileSync(join(directory, "provenance.json"), statement);
}

/** @param image its path */
export function writeExtensionProvenance(image: string, change: Partial<ProvenanceInput> = {}): void {
  writeFileSync(image.replace(/raw$/u, "sbom.cdx.json"), SBOM);
  const text = readFileSync(image.replace(/raw$/u, "manifest.json"));
  const { kind, name, version, image: described } = parseExtensionManifest(text.toString("utf8"));
  const digests = [hash("sha256", text), hash("sha256", SBOM), described.sha256];
  const statement = makeProvenance({
    buildType: BUILD_TYPES.extension,
    externalParameters: { kind, name, version },
    builder: { id: DEFAULT_BUILDER, version: {} },
    subjects: digests.map((sha256, at) => ({ name: `part ${at}`, sha256 })),
    materials: MATERIALS,
    ...change,
  });
  writeFileSync(image.replace(/raw$/u, "provenance.json"), statement);
}
