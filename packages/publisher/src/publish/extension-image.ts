import { AshlarError } from "@ashlar/base";
import { parseExtensionManifest } from "@ashlar/protocol/answers";
import { extensionFileName, type ExtensionManifest } from "@ashlar/protocol";
import { basename } from "node:path";
import { readPart } from "@ashlar/host";
import { readProvenance } from "./provenance-file.ts";

/** What `ashlar extension build` has made. */
export type BuiltExtension = {
  readonly manifest: ExtensionManifest;
  readonly manifestBytes: Buffer;
  readonly sbomBytes: Buffer;
  /** The statement, not signed yet. */
  readonly provenance: string | undefined;
  readonly imagePath: string;
};

const HINT = "`ashlar extension build` makes an image with its manifest and bill of materials beside it";

/**
 * Reads an image's manifest and bill of materials, which lie beside it; the image itself is not read yet.
 *
 * @throws AshlarError `usage`, `not-found`, `malformed`, `untrusted` for an image with another name than its manifest says
 */
export async function readBuiltExtension(imagePath: string): Promise<BuiltExtension> {
  const stem = /^(?<stem>.+)\.raw$/u.exec(imagePath)?.groups?.["stem"];
  if (stem === undefined) throw new AshlarError("usage", `expected an extension image NAME.raw, found ${imagePath}`);
  const manifestBytes = await readPart(`${stem}.manifest.json`, HINT);
  const sbomBytes = await readPart(`${stem}.sbom.cdx.json`, HINT);
  const provenance = await readProvenance(`${stem}.provenance.json`);
  const manifest = parseExtensionManifest(manifestBytes.toString("utf8"));
  const expected = extensionFileName(manifest);
  if (basename(imagePath) === expected) return { manifest, manifestBytes, sbomBytes, provenance, imagePath };
  throw new AshlarError("untrusted", `${imagePath}: expected the name that its manifest gives it, ${expected}`);
}
