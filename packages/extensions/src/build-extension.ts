import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { throwIfInterrupted, withTemporaryDirectory } from "@ashlar/host";
import {
  EXTENSION_NAME_PATTERN,
  EXTENSION_VERSION_PATTERN,
  type ExtensionBehaviour,
  extensionFileName,
  type ExtensionKind,
  type ExtensionManifest,
  type ExtensionTier,
} from "@ashlar/protocol";
import { ownSource, type Step } from "@ashlar/debian";
import { checkBuilder, DEFAULT_BUILDER } from "@ashlar/statements";
import { readBaseRelease } from "./base-release.ts";
import {
  ASHLAR_HOST,
  type ExtensionHost,
  joinBehaviour,
  readTreeBehaviour,
  writeBehaviour,
  writeRelease,
} from "./extension-files.ts";
import { describeExtension } from "./image/describe-extension.ts";
import { openToolTree } from "./image/tool-tree.ts";
import { type ExtensionSigner, writeDdi } from "./image/write-ddi.ts";
import { describeProvenance } from "./provenance.ts";
import { type ExtensionSource, stageSource } from "./sources/stage-source.ts";
import { checkTree } from "./tree/check-tree.ts";
import { checkReplaced, findAllowed, findReplaced } from "./tree/replaced-files.ts";

export type BuildExtensionOptions = {
  readonly kind: ExtensionKind;
  readonly name: string;
  /** Null: as the source says. */
  readonly version: string | null;
  readonly tier: ExtensionTier;
  /** Default: Ashlar's own nodes. */
  readonly host?: ExtensionHost;
  readonly source: ExtensionSource;
  readonly signer: ExtensionSigner;
  /** The directory that gets the image and what describes it; made if missing. */
  readonly out: string;
  /** The release that it is for: an image directory or a manifest. Without it nothing is known of the base. */
  readonly release?: string;
  /** Beside what the source asks for; `replaces` may have globs. */
  readonly behaviour: ExtensionBehaviour;
  /** The URI of whoever builds, as provenance has it. */
  readonly builder?: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (message: string) => void;
};

export type BuiltExtension = {
  readonly manifest: ExtensionManifest;
  /** Paths of the image, its manifest, its bill of materials and its provenance. */
  readonly files: readonly [image: string, manifest: string, sbom: string, provenance: string];
  readonly leftOut: readonly string[];
};

/**
 * Builds a signed extension image. The same inputs give the same bytes. An interrupted build leaves nothing behind.
 *
 * @throws AshlarError `usage` (names), `missing-tool` (not root), `invalid`, `limit` or `conflict` (what it holds),
 * `not-found`, `failed`
 */
export async function buildExtension(options: BuildExtensionOptions): Promise<BuiltExtension> {
  const { kind, name, source, out, signal, host = ASHLAR_HOST } = options;
  checkName(name);
  if (options.version !== null) checkVersion(options.version);
  if (process.getuid?.() !== 0) {
    throw new AshlarError("privilege", "building an extension needs root: files in it belong to root", {
      hint: "run the same command with sudo",
    });
  }
  const step: Step = { signal, onProgress: options.onProgress ?? (() => undefined) };
  const builder = checkBuilder(options.builder ?? DEFAULT_BUILDER);
  const release = options.release === undefined ? undefined : await readBaseRelease(options.release);
  const base = release?.manifest;
  // git looks through the checkout meanwhile.
  const own = ownSource(signal);
  own.catch(() => undefined);
  const tools = await openToolTree(step);
  await mkdir(out, { recursive: true });
  return await withTemporaryDirectory(async (work) => {
    const tree = join(work, "tree");
    await mkdir(tree);
    const staged = await stageSource(source, {
      tree,
      work,
      kind,
      version: options.version,
      base,
      signer: options.signer,
      step,
    });
    const version = checkVersion(options.version ?? staged.version);
    const entries = await checkTree(tree, kind);
    const behaviours = [await readTreeBehaviour(tree, { kind, name, version }), staged.behaviour, options.behaviour];
    const allowed = behaviours.flatMap(({ replaces }) => replaces);
    const replaces =
      base === undefined
        ? findAllowed(entries, allowed)
        : checkReplaced(findReplaced(kind, entries, base.files), allowed, staged.ownerOf);
    const paths = entries.map(({ path }) => path);
    await writeRelease(tree, { kind, name, version }, host, paths);
    await writeBehaviour(tree, { kind, name, version }, joinBehaviour(behaviours, replaces));
    throwIfInterrupted(signal);

    step.onProgress("making the file system, its hash tree and the signature");
    const image = join(work, "image.raw");
    // Its library loads while mkfs.erofs runs.
    const sbomWriter = import("./image/write-sbom.ts");
    await writeDdi({ tree, name, version, signer: options.signer, tools: tools.tree, out: image });
    step.onProgress("writing manifest, bill of materials and provenance");
    const manifest = await describeExtension(image, { tier: options.tier, packages: staged.packages });
    const [manifestPath, sbomPath] = [join(work, "manifest"), join(work, "sbom")];
    const provenancePath = join(work, "provenance");
    const manifestText = `${JSON.stringify(manifest, null, 1)}\n`;
    const sbom = (await sbomWriter).writeExtensionSbom(manifest);
    await writeFile(manifestPath, manifestText);
    await writeFile(sbomPath, sbom);
    const provenance = await describeProvenance({
      options,
      builder,
      manifest,
      manifestText,
      sbom,
      sourcePaths: new Set(paths),
      staged,
      release,
      tools: [...tools.materials, ...(await own)],
    });
    await writeFile(provenancePath, provenance);
    throwIfInterrupted(signal);
    const files = extensionPaths(out, { name, version });
    // An older image goes first: none ever has another's manifest beside it.
    await rm(files[0], { force: true });
    await rename(manifestPath, files[1]);
    await rename(sbomPath, files[2]);
    await rename(provenancePath, files[3]);
    await rename(image, files[0]);
    return { manifest, files, leftOut: staged.leftOut };
  }, out);
}

/** Where a directory has an extension's image, and what describes it. */
function extensionPaths(
  directory: string,
  { name, version }: { readonly name: string; readonly version: string },
): BuiltExtension["files"] {
  const image = join(directory, extensionFileName({ name, version }));
  const stem = image.slice(0, -".raw".length);
  return [image, `${stem}.manifest.json`, `${stem}.sbom.cdx.json`, `${stem}.provenance.json`];
}

function checkName(name: string): void {
  if (EXTENSION_NAME_PATTERN.test(name)) return;
  throw new AshlarError("usage", `--name: expected a name such as debug-tools, found ${JSON.stringify(name)}`, {
    hint: "a lower-case letter, then up to 62 letters, digits or hyphens",
  });
}

function checkVersion(version: string | null): string {
  if (version !== null && EXTENSION_VERSION_PATTERN.test(version)) return version;
  throw new AshlarError("usage", `--version: expected a version such as v1.33.2, found ${version ?? "none"}`, {
    hint: "a digit, perhaps after a v, then up to 62 digits, letters, dots, tildes or plus signs",
  });
}
