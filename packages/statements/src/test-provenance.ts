/** For tests: an image's provenance, and what it has to be. */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { PAYLOAD_TYPE } from "./envelope.ts";
import { signEnvelope, signerOf } from "./dsse.ts";
import { formatSignedProvenance, type ExpectedProvenance } from "./provenance/check.ts";
import { BUILD_TYPES, DEFAULT_BUILDER, makeProvenance, type ProvenanceInput } from "./provenance/provenance.ts";

export const KEYS: { readonly privateKey: KeyObject; readonly publicKey: KeyObject } = generateKeyPairSync("ed25519");
const [MANIFEST = "", SBOM = "", DEB = ""] = ["1", "2", "3"].map((digit) => digit.repeat(64));
const PURL = "pkg:deb/debian/bash@5.2?arch=amd64&distro=trixie";

export const INPUT: ProvenanceInput = {
  buildType: BUILD_TYPES.image,
  externalParameters: { version: "1.0.0" },
  builder: { id: DEFAULT_BUILDER, version: { ashlar: "0.1.0" } },
  subjects: [
    { name: "manifest.json", sha256: MANIFEST },
    { name: "sbom.cdx.json", sha256: SBOM },
  ],
  materials: [
    { uri: PURL, digest: { sha256: DEB }, annotations: { role: "content" } },
    { name: "os", digest: { dirHash: DEB }, annotations: { role: "source" } },
    { name: "ashlar", digest: { gitCommit: "a".repeat(40) }, annotations: { role: "source" } },
  ],
};

export const EXPECTED: ExpectedProvenance & { readonly publicKeys: readonly KeyObject[] } = {
  publicKeys: [KEYS.publicKey],
  buildType: BUILD_TYPES.image,
  builder: DEFAULT_BUILDER,
  parameters: { version: "1.0.0" },
  artifacts: [
    { name: "ashlar_1.0.0.manifest.json", sha256: MANIFEST },
    { name: "ashlar_1.0.0.sbom.cdx.json", sha256: SBOM },
  ],
  components: { packages: [PURL], files: 0 },
};

/** @param statement also one that was not made by {@link makeProvenance} */
export function signed(statement: string = makeProvenance(INPUT), keys: typeof KEYS = KEYS): string {
  return formatSignedProvenance(signEnvelope(PAYLOAD_TYPE, Buffer.from(statement), signerOf(keys)));
}
