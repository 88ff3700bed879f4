/** What a repository's signed index says. Its signatures are tuf-js' matter; who signs may still be wrong. */
import { INDEX_FIELD, INDEX_SCHEMA, parseIndex } from "@ashlar/release";
import * as seeds from "./seeds.ts";
import type { Target } from "./targets.ts";

const KINDS = ["manifest", "summary", "sbom", "usrArchive", "verityArchive", "ukiArchive", "usrBlocks", "uki"];
const FILES = Object.fromEntries(KINDS.map((kind) => [kind, `ashlar_1.0.0.${kind}`]));
const SIGNED = {
  version: 1,
  targets: Object.fromEntries(
    Object.values(FILES).map((name) => [name, { length: 1, hashes: { sha256: "ab".repeat(32) } }]),
  ),
  unrecognizedFields: {
    [INDEX_FIELD]: {
      schema: INDEX_SCHEMA,
      channels: { stable: { version: "1.0.0", minimumVersion: "0" } },
      releases: { "1.0.0": { files: FILES, withdrawn: { reason: "bad", at: "2026-11-22T00:00:00Z" } } },
    },
  },
};

export const RELEASE_TARGETS: readonly Target[] = [
  { name: "release-index", seeds: [seeds.text(JSON.stringify(SIGNED))], parse: parseSigned },
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
