import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { parseDocument } from "@ashlar/protocol/answers";
import type { Material, Role } from "@ashlar/statements";
import { z } from "zod";

const MAX_LOCK_CHARACTERS: number = 16 * 1024 * 1024;
/** package-lock.json, by the directory of each package below the repository. */
export type LockedPackages = Readonly<
  Record<string, { readonly version?: string | undefined; readonly integrity?: string | undefined }>
>;

const lockSchema: z.ZodType<{ packages: LockedPackages }> = z.object({
  packages: z.record(
    z.string(),
    z.object({ version: z.string().max(200).optional(), integrity: z.string().max(1000).optional() }),
  ),
});

/** @throws AshlarError `not-found`, `malformed`, `limit` */
export async function readLock(repository: string): Promise<LockedPackages> {
  const text = await readFile(join(repository, "package-lock.json"), "utf8").catch((error: unknown) => {
    throw new AshlarError("not-found", `${repository}: expected package-lock.json, found none`, { cause: error });
  });
  return parseDocument(text, lockSchema, "package-lock.json", MAX_LOCK_CHARACTERS).packages;
}

/**
 * npm packages by what package-lock.json says of them, which npm has checked when it installed them.
 *
 * @param directories of packages, below the repository: `node_modules/yaml`
 * @throws AshlarError `malformed` for one without a SHA-512
 */
export function npmMaterials(lock: LockedPackages, directories: Iterable<string>, role: Role): Material[] {
  return [...new Set(directories)].map((directory) => {
    const { version = "", integrity = "" } = Object.hasOwn(lock, directory) ? (lock[directory] ?? {}) : {};
    const { base64 = "" } = /(?:^| )sha512-(?<base64>[A-Za-z0-9+/]{86}==)/u.exec(integrity)?.groups ?? {};
    const name = directory.slice(directory.lastIndexOf("node_modules/") + "node_modules/".length);
    if (version === "" || base64 === "") {
      throw new AshlarError(
        "malformed",
        `package-lock.json: expected version and SHA-512 of ${directory}, found none`,
        {
          hint: "run `npm install`",
        },
      );
    }
    return {
      uri: `pkg:npm/${name.replace("@", "%40")}@${encodeURIComponent(version)}`,
      digest: { sha512: Buffer.from(base64, "base64").toString("hex") },
      annotations: { role },
    };
  });
}

/** The directory of the package that a file below the repository belongs to; undefined for one of our own. */
export function npmPackageOf(path: string): string | undefined {
  return /^(?<directory>.*node_modules\/(?:@[^/]+\/)?[^/]+)\//u.exec(path)?.groups?.["directory"];
}
