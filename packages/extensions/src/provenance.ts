import { hash } from "node:crypto";
import type { Json } from "@ashlar/base";
import { archiveParameters, builderOf } from "@ashlar/debian";
import { directoryHash } from "@ashlar/host";
import type { ExtensionBehaviour, ExtensionManifest } from "@ashlar/protocol";
import { BUILD_TYPES, makeProvenance, type Material } from "@ashlar/statements";
import type { BaseRelease } from "./base-release.ts";
import type { StagedTree } from "./sources/staged-tree.ts";
import type { ExtensionSource } from "./sources/stage-source.ts";

export type ExtensionProvenance = {
  readonly options: { readonly source: ExtensionSource; readonly behaviour: ExtensionBehaviour };
  readonly builder: string;
  readonly manifest: ExtensionManifest;
  readonly manifestText: string;
  readonly sbom: string;
  /** The files that the source has brought, as on a node: the image has those too that were written here. */
  readonly sourcePaths: ReadonlySet<string>;
  readonly staged: Pick<StagedTree, "materials">;
  readonly release: BaseRelease | undefined;
  /** What it was built with, and Ashlar's own source. */
  readonly tools: readonly Material[];
};

/** The text of an extension's provenance: how it came about. */
export async function describeProvenance(extension: ExtensionProvenance): Promise<string> {
  const { options, builder, manifest, manifestText, sbom, staged, release, tools } = extension;
  const { kind, name, version, tier, host, image } = manifest;
  return makeProvenance({
    buildType: BUILD_TYPES.extension,
    externalParameters: {
      kind,
      name,
      version,
      tier,
      host: { ...host },
      source: sourceParameters(options.source),
      behaviour: { ...options.behaviour },
    },
    builder: await builderOf(builder),
    subjects: [
      { name: `${name}-${version}-x86-64.raw`, sha256: image.sha256 },
      { name: "manifest.json", sha256: hash("sha256", manifestText) },
      { name: "sbom.cdx.json", sha256: hash("sha256", sbom) },
    ],
    materials: [
      ...(staged.materials === "tree" ? [treeMaterial(extension)] : staged.materials),
      ...tools,
      { name: "extensions.crt", digest: { sha256: image.certificateSha256 }, annotations: { role: "key" } },
      ...(release === undefined
        ? []
        : [
            {
              name: `ashlar ${release.manifest.version}, manifest.json`,
              digest: { sha256: release.sha256 },
              annotations: { role: "base" },
            } as const,
          ]),
    ],
  });
}

/** The image lists its files by digest: those of the source are as they were there. */
function treeMaterial({ manifest, sourcePaths }: ExtensionProvenance): Material {
  const files = manifest.files
    .filter(({ path }) => sourcePaths.has(path))
    .map((file) => ({
      name: file.path.slice(1),
      sha256: file.type === "file" ? file.sha256 : hash("sha256", file.target),
    }));
  return { name: "tree", digest: { dirHash: directoryHash(files) }, annotations: { role: "source" } };
}

/** What was asked for, without paths of the building machine. */
function sourceParameters(source: ExtensionSource): Readonly<Record<string, Json>> {
  const { type } = source;
  if (type === "debs") return { type, packages: source.packages, ...archiveParameters(source.archive) };
  if (type === "recipe") return { type, recipe: source.recipe.name, ...archiveParameters(source.archive) };
  return { type };
}
