import { SHA256_HEX } from "@ashlar/base";
import {
  EXTENSION_KINDS,
  EXTENSION_NAME_PATTERN,
  EXTENSION_TIERS,
  EXTENSION_VERSION_PATTERN,
  extensionFileName,
  type ExtensionKind,
  type ExtensionTier,
} from "@ashlar/protocol";
import { BLOCK_BYTES } from "../blocks/blocks-layout.ts";
import {
  entries,
  fail,
  object,
  oneOf,
  parseFile,
  parseWithdrawal,
  type PublishedFile,
  type SignedTargets,
  text,
  type Withdrawal,
} from "./index-fields.ts";

/** What an extension consists of in a repository: files in `extensions/NAME/`, which never change once published. */
export const EXTENSION_FILE_KINDS = [
  /** The signed disk image, as a node has it: whole, for systemd-sysupdate. */
  "image",
  /** For a node, which fetches only those blocks of the image that it does not have. */
  "blocks",
  "manifest",
  "sbom",
] as const;
export type ExtensionFileKind = (typeof EXTENSION_FILE_KINDS)[number];

export type ExtensionEntry = {
  readonly kind: ExtensionKind;
  readonly name: string;
  readonly version: string;
  readonly tier: ExtensionTier;
  /** Of the data partition's verity tree: what the image's signature covers and a node measures. */
  readonly rootHash: string;
  /** Of the tree over the whole image file, by which its blocks are fetched: see `blocks/image-tree.ts`. */
  readonly blocksRootHash: string;
  readonly withdrawn?: Withdrawal;
  /** What was built before there was provenance has none. */
  readonly files: Readonly<Record<ExtensionFileKind, PublishedFile>> & { readonly provenance?: PublishedFile };
};

/** The versions of each extension, by its name. */
export type ExtensionIndex = ReadonlyMap<string, ReadonlyMap<string, ExtensionEntry>>;

const MAX_EXTENSIONS = 256;
const MAX_VERSIONS = 256;

/** Where the files of all versions lie. */
export function extensionDirectory(name: string): string {
  return `extensions/${name}`;
}

export function extensionFileNames(extension: {
  readonly name: string;
  readonly version: string;
}): Record<ExtensionFileKind | "provenance", string> {
  const image = extensionFileName(extension);
  const stem = image.slice(0, -".raw".length);
  return {
    image,
    blocks: `${stem}.blocks`,
    manifest: `${stem}.manifest.json`,
    sbom: `${stem}.sbom.cdx.json`,
    provenance: `${stem}.intoto.jsonl`,
  };
}

/** @param value undefined in an index that is older than extensions are */
export function parseExtensions(value: unknown, signed: SignedTargets): ExtensionIndex {
  const extensions = new Map<string, ReadonlyMap<string, ExtensionEntry>>();
  if (value === undefined) return extensions;
  for (const [name, versions] of entries(value, "$.extensions", MAX_EXTENSIONS)) {
    if (!EXTENSION_NAME_PATTERN.test(name)) fail("$.extensions", "an extension's name", name);
    const place = `$.extensions.${name}`;
    const found = entries(versions, place, MAX_VERSIONS).map(([version, entry]) => {
      if (!EXTENSION_VERSION_PATTERN.test(version)) fail(place, "a version", version);
      return [version, parseEntry({ name, version }, entry, signed)] as const;
    });
    extensions.set(name, new Map(found));
  }
  return extensions;
}

function parseEntry(
  { name, version }: { readonly name: string; readonly version: string },
  value: unknown,
  signed: SignedTargets,
): ExtensionEntry {
  const place = `$.extensions.${name}.${version}`;
  const entry = object(value, place);
  const names = extensionFileNames({ name, version });
  const pathOf = (kind: ExtensionFileKind | "provenance"): string => `${extensionDirectory(name)}/${names[kind]}`;
  const file = (kind: ExtensionFileKind | "provenance"): PublishedFile =>
    parseFile(signed, { name: names[kind], path: pathOf(kind), place });
  const files = {
    image: file("image"),
    blocks: file("blocks"),
    manifest: file("manifest"),
    sbom: file("sbom"),
    ...(Object.hasOwn(signed.targets, pathOf("provenance")) && { provenance: file("provenance") }),
  };
  if (files.image.sizeBytes % BLOCK_BYTES !== 0) {
    fail(`${place}: size of ${names.image}`, `blocks of ${BLOCK_BYTES} bytes`, files.image.sizeBytes);
  }
  return {
    kind: oneOf(entry["kind"], EXTENSION_KINDS, `${place}.kind`),
    name,
    version,
    tier: oneOf(entry["tier"], EXTENSION_TIERS, `${place}.tier`),
    rootHash: text(entry["rootHash"], SHA256_HEX, `${place}.rootHash`, "64 lower-case hexadecimal digits"),
    blocksRootHash: text(
      entry["blocksRootHash"],
      SHA256_HEX,
      `${place}.blocksRootHash`,
      "64 lower-case hexadecimal digits",
    ),
    files,
    ...(entry["withdrawn"] !== undefined && { withdrawn: parseWithdrawal(entry["withdrawn"], `${place}.withdrawn`) }),
  };
}
