import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { AshlarError } from "@ashlar/base";
import { parseManifest, type ReleaseManifest } from "@ashlar/identity";

/** What `ashlar image build` has made, checked. */
export type BuiltImage = {
  readonly manifest: ReleaseManifest;
  readonly manifestBytes: Buffer;
  readonly sbomBytes: Buffer;
  readonly usrPath: string;
  readonly verityPath: string;
  readonly ukiPath: string;
};

/** @throws AshlarError `not-found`, `malformed`, `untrusted` when a part is not what the manifest says */
export async function readBuiltImage(directory: string, signal: AbortSignal | undefined): Promise<BuiltImage> {
  const [manifestBytes, sbomBytes] = [
    await readPart(directory, "manifest.json"),
    await readPart(directory, "sbom.cdx.json"),
  ];
  const manifest = parseManifest(manifestBytes.toString("utf8"));
  const { usr, uki } = manifest;
  const parts = [
    { path: join(directory, "usr.erofs"), sizeBytes: usr.dataSizeBytes, sha256: usr.sha256 },
    { path: join(directory, "usr.verity"), sizeBytes: usr.verity.sizeBytes, sha256: usr.verity.sha256 },
    { path: join(directory, "uki.efi"), sizeBytes: uki.sizeBytes, sha256: uki.sha256 },
  ] as const;
  for (const { path, sizeBytes, sha256 } of parts) {
    const found = await digestFile(path, signal);
    if (found.sizeBytes === sizeBytes && found.sha256 === sha256) continue;
    throw new AshlarError(
      "untrusted",
      `${path} is not what the manifest says: expected ${sizeBytes} bytes with SHA-256 ${sha256}, ` +
        `found ${found.sizeBytes} with ${found.sha256}`,
      { hint: "build the image again" },
    );
  }
  const [usrPath, verityPath, ukiPath] = [parts[0].path, parts[1].path, parts[2].path];
  return { manifest, manifestBytes, sbomBytes, usrPath, verityPath, ukiPath };
}

export async function digestFile(
  path: string,
  signal?: AbortSignal,
): Promise<{ readonly sizeBytes: number; readonly sha256: string }> {
  const sha256 = createHash("sha256");
  try {
    await pipeline(createReadStream(path), sha256, { signal });
    return { sizeBytes: (await stat(path)).size, sha256: sha256.digest("hex") };
  } catch (error) {
    if (signal?.aborted === true) throw new AshlarError("interrupted", `reading ${path} was interrupted`);
    throw unreadable(path, error);
  }
}

async function readPart(directory: string, name: string): Promise<Buffer> {
  try {
    return await readFile(join(directory, name));
  } catch (error) {
    throw unreadable(join(directory, name), error);
  }
}

function unreadable(path: string, error: unknown): AshlarError {
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  return new AshlarError(code === "ENOENT" ? "not-found" : "failed", `cannot read ${path}: ${code}`, {
    hint: "--image is a directory that `ashlar image build` made",
    cause: error,
  });
}
