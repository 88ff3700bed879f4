import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AshlarError } from "@ashlar/base";
import type { BuildTree } from "@ashlar/debian";

/** Whose signatures the nodes of an image take, of releases and extensions, and where they look for them. */
export type ReleaseSource = {
  /** The repository's address, http or https. Without it the nodes' configuration says where. */
  readonly url?: string;
  /** The directory of `ashlar release init`. Only its public files are read. */
  readonly keys: string;
};

/** The public files in a key directory, and where a node expects them below its root. */
const TRUSTED_FILES = [
  ["release-root.json", "usr/lib/ashlar/release-root.json"],
  // Whom plain systemd-sysupdate trusts (systemd-pull of systemd 257). Debian ships other distributions' keys here.
  ["import-pubring.pgp", "usr/lib/systemd/import-pubring.gpg"],
  // Whose extensions are merged; systemd looks there, too.
  ["extensions.crt", "usr/lib/verity.d/ashlar-extensions.crt"],
] as const;

/** The names of the public files that an image gets. */
export function trustedFilesOf(): readonly string[] {
  return TRUSTED_FILES.map(([name]) => name);
}

/** @throws AshlarError `usage` for another kind of URL, `not-found` when the key directory lacks a public file */
export async function addReleaseSource(tree: BuildTree, source: ReleaseSource): Promise<void> {
  const { url } = source;
  if (url !== undefined && (!URL.canParse(url) || !/^https?:$/u.test(new URL(url).protocol))) {
    throw new AshlarError("usage", `--release-url: expected an http or https URL, found ${JSON.stringify(url)}`);
  }
  for (const [name, target] of TRUSTED_FILES) {
    await mkdir(dirname(tree.path(target)), { recursive: true });
    try {
      await copyFile(join(source.keys, name), tree.path(target));
    } catch (error) {
      throw new AshlarError("not-found", `--release-keys: expected ${name} in ${source.keys}, could not read it`, {
        hint: "make keys with `ashlar release init --repo DIR --keys KEYDIR`",
        cause: error,
      });
    }
  }
  if (url === undefined) return;
  // JSON is YAML, and needs no rules for quoting.
  const policy = JSON.stringify({ repository: url, channel: "stable" });
  await writeFile(tree.path("usr/lib/ashlar/update.yaml"), `${policy}\n`);
}
