/** For tests: the directory of a small image, as `ashlar image build` leaves it, and a key directory. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { testRelease } from "@ashlar/protocol/test-fixtures";
import { imageOf, summaryFor } from "@ashlar/repository/test-fixtures";
import { KeyDirectory } from "@ashlar/keys";
import type { ChangeOptions } from "./change-index.ts";

export const NOW_MS: number = Date.UTC(2026, 10, 22);

/** @param contents what each block of /usr holds */
export async function writeTestImage(directory: string, version: string, contents: readonly number[]): Promise<string> {
  const image = imageOf(contents);
  const uki = Buffer.alloc(20_000, version);
  const { packages, files } = testRelease(version);
  const manifest = { ...summaryFor(version, image, uki), packages, files };
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "manifest.json"), JSON.stringify(manifest));
  await writeFile(join(directory, "sbom.cdx.json"), "{}");
  await writeFile(join(directory, "usr.erofs"), image.data);
  await writeFile(join(directory, "usr.verity"), image.tree);
  await writeFile(join(directory, "uki.efi"), uki);
  return directory;
}

export async function noPassphrase(): Promise<never> {
  throw new Error("nobody is there to give a passphrase");
}

/** Options for a repository and keys in a test's directory. */
export function testOptions(directory: string): ChangeOptions {
  const keys = new KeyDirectory(join(directory, "keys"), noPassphrase);
  return { repository: join(directory, "repository"), keys, nowMs: NOW_MS };
}
