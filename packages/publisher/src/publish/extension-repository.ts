import { hash } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import { compareVersions } from "@ashlar/formats";
import type { ExtensionTier } from "@ashlar/protocol";
import {
  addExtension,
  extensionVersions,
  withdrawExtension,
  type ExtensionEntry,
  type RepositoryIndex,
} from "@ashlar/repository-index";
import { changeIndex, type ChangeOptions, checkReason } from "./change-index.ts";
import { writeExtensionFiles } from "./extension-files.ts";
import { type BuiltExtension, readBuiltExtension } from "./extension-image.ts";

export type PublishExtensionsOptions = ChangeOptions & {
  /** Paths of images that `ashlar extension build` made, with manifest and bill of materials beside each. */
  readonly images: readonly string[];
  /** The tier that all of them must have. */
  readonly tier?: ExtensionTier | undefined;
};

/**
 * Publishes extension images, all of them at once. Repeating it with the same images changes nothing.
 *
 * @throws AshlarError `conflict` when a version exists with other bytes or was withdrawn, or the name with another kind;
 *   `invalid` for another tier, `untrusted` for an image that is not what its manifest says, and what
 *   {@link readBuiltExtension} throws
 */
export async function publishExtensions(options: PublishExtensionsOptions): Promise<readonly ExtensionEntry[]> {
  const { images, tier, signal, onProgress = () => undefined } = options;
  const certificate = await options.keys.extensionCertificate();
  return await changeIndex(options, "ashlar extension publish", async (current, files, signers) => {
    const built: BuiltExtension[] = [];
    for (const image of images) built.push(await readBuiltExtension(image));
    for (const each of built) expectPublishable(current, each, tier);
    let index = current;
    const published: ExtensionEntry[] = [];
    for (const each of built) {
      const { name, version } = each.manifest;
      // Twice in one command is as good as in two.
      expectPublishable(index, each, tier);
      const existing = index.extensions.get(name)?.get(version);
      if (existing === undefined) onProgress(`adding ${name} ${version}`);
      const entry =
        existing ??
        (await writeExtensionFiles(files, each, { certificate, before: versionBefore(index, each), signers, signal }));
      index = addExtension(index, entry);
      published.push(entry);
    }
    return { index, result: published };
  });
}

function versionBefore(index: RepositoryIndex, { manifest }: BuiltExtension): ExtensionEntry | undefined {
  const { name, version } = manifest;
  if (!index.extensions.has(name)) return undefined;
  return extensionVersions(index, name).find((other) => compareVersions(other.version, version) < 0);
}

function expectPublishable(index: RepositoryIndex, built: BuiltExtension, tier: ExtensionTier | undefined): void {
  const { kind, name, version, ...manifest } = built.manifest;
  if (tier !== undefined && manifest.tier !== tier) {
    throw new AshlarError(
      "invalid",
      `${built.imagePath}: expected an extension of tier ${tier}, found ${manifest.tier}`,
    );
  }
  const versions = index.extensions.get(name);
  for (const other of versions?.values() ?? []) {
    if (other.kind === kind) continue;
    throw new AshlarError("conflict", `extension ${name} is a ${other.kind} here, not a ${kind}`, {
      hint: "give it another name",
    });
  }
  const existing = versions?.get(version);
  if (existing === undefined) return;
  const isSame =
    existing.files.image.sha256 === manifest.image.sha256 &&
    existing.files.manifest.sha256 === hash("sha256", built.manifestBytes) &&
    existing.files.sbom.sha256 === hash("sha256", built.sbomBytes);
  if (!isSame) {
    throw new AshlarError("conflict", `extension ${name} ${version} exists with other bytes`, {
      hint: "a published version never changes: build it as a new one",
    });
  }
  if (existing.withdrawn === undefined) return;
  throw new AshlarError("conflict", `extension ${name} ${version} was withdrawn: ${existing.withdrawn.reason}`, {
    hint: "publish what was repaired as a new version",
  });
}

/**
 * Says that a version of an extension must not be installed any more.
 *
 * @throws AshlarError `not-found`, `usage` for a reason that is empty or too long
 */
export async function withdrawExtensionFromRepository(
  options: ChangeOptions & { readonly name: string; readonly version: string; readonly reason: string },
): Promise<void> {
  const { reason, nowMs } = options;
  checkReason(reason);
  await changeIndex(options, "ashlar extension withdraw", async (current) => {
    const at = new Date(nowMs).toISOString();
    return { index: withdrawExtension(current, options, { reason, at }), result: undefined };
  });
}
