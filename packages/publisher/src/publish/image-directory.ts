import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { parseManifest, type ReleaseManifest } from "@ashlar/protocol/answers";
import { digestFile, readPart } from "@ashlar/host";
import { readProvenance } from "./provenance-file.ts";

export const PROVENANCE_NAME = "provenance.json";
const HINT = "--image is a directory that `ashlar image build` made";

/** What `ashlar image build` has made, checked. */
export type BuiltImage = {
  readonly manifest: ReleaseManifest;
  readonly manifestBytes: Buffer;
  readonly sbomBytes: Buffer;
  /** The statement, not signed yet. */
  readonly provenance: string | undefined;
  readonly usrPath: string;
  readonly verityPath: string;
  readonly ukiPath: string;
};

/** @throws AshlarError `not-found`, `malformed`, `untrusted` when a part is not what the manifest says */
export async function readBuiltImage(directory: string, signal: AbortSignal | undefined): Promise<BuiltImage> {
  const [manifestBytes, sbomBytes] = [
    await readPart(join(directory, "manifest.json"), HINT),
    await readPart(join(directory, "sbom.cdx.json"), HINT),
  ];
  const manifest = parseManifest(manifestBytes.toString("utf8"));
  const { usr, uki } = manifest;
  const parts = [
    { path: join(directory, "usr.erofs"), sizeBytes: usr.dataSizeBytes, sha256: usr.sha256 },
    { path: join(directory, "usr.verity"), sizeBytes: usr.verity.sizeBytes, sha256: usr.verity.sha256 },
    { path: join(directory, "uki.efi"), sizeBytes: uki.sizeBytes, sha256: uki.sha256 },
  ] as const;
  for (const { path, sizeBytes, sha256 } of parts) {
    const found = await digestFile(path, { signal });
    if (found.sizeBytes === sizeBytes && found.digest === sha256) continue;
    throw new AshlarError(
      "untrusted",
      `${path} is not what the manifest says: expected ${sizeBytes} bytes with SHA-256 ${sha256}, ` +
        `found ${found.sizeBytes} with ${found.digest}`,
      { hint: "build the image again" },
    );
  }
  const [usrPath, verityPath, ukiPath] = [parts[0].path, parts[1].path, parts[2].path];
  const provenance = await readProvenance(join(directory, PROVENANCE_NAME));
  return { manifest, manifestBytes, sbomBytes, provenance, usrPath, verityPath, ukiPath };
}
