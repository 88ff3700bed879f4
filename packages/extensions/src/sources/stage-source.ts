import { AshlarError } from "@ashlar/base";
import type { ReleaseManifest } from "@ashlar/protocol/answers";
import type { ExtensionKind } from "@ashlar/protocol";
import type { ArchiveOptions, Step } from "@ashlar/debian";
import type { ExtensionSigner } from "../image/write-ddi.ts";
import type { LoadedRecipe } from "../recipe/load-recipe.ts";
import { stageDirectory } from "./stage-directory.ts";
import type { StagedTree } from "./staged-tree.ts";

/** What an extension is made of. */
export type ExtensionSource =
  | { readonly type: "directory"; readonly path: string }
  /** `DIRECTORY`, or `DIRECTORY:TAG` of one with several images. */
  | { readonly type: "oci"; readonly layout: string }
  /** The bytes of an Ignition config. */
  | { readonly type: "ignition"; readonly config: Uint8Array }
  | { readonly type: "debs"; readonly packages: readonly string[]; readonly archive: ArchiveOptions }
  | (LoadedRecipe & { readonly type: "recipe"; readonly archive: ArchiveOptions });

export type StageOptions = {
  /** The empty directory that becomes the extension. */
  readonly tree: string;
  /** A directory for what is not kept. */
  readonly work: string;
  readonly kind: ExtensionKind;
  /** Null when the source is to say it. */
  readonly version: string | null;
  readonly base: ReleaseManifest | undefined;
  readonly signer: ExtensionSigner;
  readonly step: Step;
};

/** Puts a source's files into the tree. Only what that kind of source needs is loaded. */
export async function stageSource(source: ExtensionSource, options: StageOptions): Promise<StagedTree> {
  const { tree, kind, step } = options;
  if (source.type === "directory") return await stageDirectory(source.path, tree, step.signal);
  if (source.type === "oci") {
    const { stageOci } = await import("./stage-oci.ts");
    return await stageOci({ ...source, ...options });
  }
  if (source.type === "recipe") {
    const { stageRecipe } = await import("./stage-recipe.ts");
    return await stageRecipe({ ...source, ...options });
  }
  if (source.type === "ignition") {
    expectKind("confext", kind, "of an Ignition config");
    const { stageIgnition } = await import("./stage-ignition.ts");
    return await stageIgnition(source.config, tree);
  }
  expectKind("sysext", kind, "of Debian packages");
  const { stageDebs } = await import("./stage-debs.ts");
  return await stageDebs({ ...source, ...options });
}

function expectKind(expected: ExtensionKind, found: ExtensionKind, of: string): void {
  if (expected === found) return;
  throw new AshlarError("usage", `expected --kind ${expected} ${of}, found ${found}`, {
    hint: "a sysext holds /usr and /opt, a confext /etc",
  });
}
