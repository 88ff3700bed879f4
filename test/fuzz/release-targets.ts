/** What a repository's signed index says. Its signatures are tuf-js' matter; who signs may still be wrong. */
import { parseExtensionManifest } from "@ashlar/protocol/answers";
import type { ExtensionManifest } from "@ashlar/protocol";
import { INDEX_FIELD, INDEX_SCHEMA, parseIndex } from "@ashlar/repository-index";
import { parseProposal } from "@ashlar/publisher";
import { rootProposal } from "./root-proposal-seed.ts";
import {
  checkProvenance,
  checkProvenanceOf,
  makeProvenance,
  parseProvenance,
  parseSbomComponents,
  parseSignedProvenance,
  payloadText,
} from "@ashlar/statements";
import {
  EXPECTED as EXPECTED_PROVENANCE,
  INPUT as PROVENANCE,
  signed as signedProvenance,
} from "@ashlar/statements/test-provenance";
import * as seeds from "./seeds.ts";
import type { Target } from "./target.ts";

const KINDS = ["manifest", "summary", "sbom", "usrArchive", "verityArchive", "ukiArchive", "usrBlocks", "uki"];
const FILES = Object.fromEntries(KINDS.map((kind) => [kind, `ashlar_1.0.0.${kind}`]));
const DIGEST = "ab".repeat(32);
const EXTENSION_FILES = ["raw", "blocks", "manifest.json", "sbom.cdx.json"].map(
  (ending) => `extensions/kubernetes/kubernetes-v1.33.2-x86-64.${ending}`,
);
const SIGNED = {
  version: 1,
  targets: Object.fromEntries(
    [...Object.values(FILES), ...EXTENSION_FILES].map((name) => [name, { length: 4096, hashes: { sha256: DIGEST } }]),
  ),
  unrecognizedFields: {
    [INDEX_FIELD]: {
      schema: INDEX_SCHEMA,
      channels: { stable: { version: "1.0.0", minimumVersion: "0" } },
      releases: { "1.0.0": { files: FILES, withdrawn: { reason: "bad", at: "2026-11-22T00:00:00Z" } } },
      extensions: {
        kubernetes: { "v1.33.2": { kind: "sysext", tier: "community", rootHash: DIGEST, blocksRootHash: DIGEST } },
      },
    },
  },
};

const EXTENSION: ExtensionManifest = {
  schema: "ashlar.extension/v1",
  kind: "sysext",
  name: "kubernetes",
  version: "v1.33.2",
  architecture: "x86-64",
  tier: "community",
  host: { id: "ashlar", level: "1.0" },
  image: { sizeBytes: 4096, sha256: DIGEST, rootHash: DIGEST, certificateSha256: DIGEST },
  behaviour: { replaces: ["/usr/bin/a"], restart: ["a.service"], reload: [], start: [], healthCheck: null },
  packages: [{ name: "a", version: "1", architecture: "amd64" }],
  files: [{ type: "link", path: "/usr/bin/b", target: "a" }],
};

/** Signed by whatever key: what is inside is parsed all the same. */
function checkAnyProvenance(bytes: Uint8Array): unknown {
  const text = Buffer.from(bytes).toString("utf8");
  const envelope = parseSignedProvenance(text);
  return [checkProvenance(text, EXPECTED_PROVENANCE), parseProvenance(payloadText(envelope))];
}

export const RELEASE_TARGETS: readonly Target[] = [
  { name: "provenance-signed", seeds: [seeds.text(signedProvenance())], parse: checkAnyProvenance },
  {
    name: "provenance",
    seeds: [seeds.text(makeProvenance(PROVENANCE))],
    parse: (bytes) => checkProvenanceOf(Buffer.from(bytes).toString("utf8"), EXPECTED_PROVENANCE),
  },
  {
    name: "sbom-components",
    seeds: [
      seeds.text(
        JSON.stringify({
          bomFormat: "CycloneDX",
          components: [
            { type: "library", "bom-ref": "pkg:deb/debian/a@1" },
            { type: "file", "bom-ref": "file:/usr/bin/a" },
          ],
        }),
      ),
    ],
    parse: (bytes) => parseSbomComponents(Buffer.from(bytes).toString("utf8")),
  },
  { name: "release-index", seeds: [seeds.text(JSON.stringify(SIGNED))], parse: parseSigned },
  {
    name: "root-proposal",
    seeds: [seeds.text(rootProposal())],
    parse: (bytes) => parseProposal("file", Buffer.from(bytes)),
  },
  {
    name: "extension-manifest",
    seeds: [seeds.text(JSON.stringify(EXTENSION))],
    parse: (bytes) => parseExtensionManifest(Buffer.from(bytes).toString("utf8")),
  },
];

function parseSigned(bytes: Uint8Array): unknown {
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined;
  }
  return hasShape(content) ? parseIndex({ ...content, version: 1 }) : undefined;
}

/** The models of tuf-js have these members, whatever was signed. */
function hasShape(value: unknown): value is typeof SIGNED {
  if (!isObject(value) || !isObject(value["targets"]) || !isObject(value["unrecognizedFields"])) return false;
  return Object.values(value["targets"]).every((target) => isObject(target) && isObject(target["hashes"]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
