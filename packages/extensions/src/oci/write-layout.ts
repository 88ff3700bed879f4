/** Writes an image layout with one image of one layer (OCI Image Format Specification, "Image Layout"). */
import { hash } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson, type Json } from "@ashlar/base";
import { digestFile, run } from "@ashlar/host";

export type ImageParts = {
  /** The directory whose files are the image's. */
  readonly tree: string;
  /** For example registry.k8s.io/pause:3.10: the image's name in the layout's index. */
  readonly reference: string;
  readonly entrypoint: readonly string[];
  /** `UID:GID`; empty for root. */
  readonly user: string;
  /** A directory that is to be made. */
  readonly out: string;
};

/** 1980-01-01, as in extensions. */
const TIME = { tar: "@315532800", json: "1980-01-01T00:00:00Z" };
const MEDIA = "application/vnd.oci.image";

/**
 * The same files give the same bytes, whoever owns them. The layer is not compressed: under emulation a node takes four
 * times as long to unpack it as to fetch it plain.
 */
export async function writeLayout({ tree, reference, entrypoint, user, out }: ImageParts): Promise<void> {
  const blobs = join(out, "blobs/sha256");
  await mkdir(blobs, { recursive: true });
  const layer = join(out, "layer");
  const how = ["--sort=name", "--format=ustar", `--mtime=${TIME.tar}`, "--owner=0", "--group=0", "--numeric-owner"];
  // No setuid bits, and what this user's umask has left out.
  await run("tar", ["--create", "--file", layer, "--directory", tree, ...how, "--mode=u=rwX,go=rX,a-st", "."]);
  const { sizeBytes, digest: sha256 } = await digestFile(layer);
  const digest = `sha256:${sha256}`;
  await rename(layer, join(blobs, sha256));

  const add = async (
    mediaType: string,
    document: Json,
  ): Promise<{ mediaType: string; digest: string; size: number }> => {
    const text = canonicalJson(document);
    const name = hash("sha256", text);
    await writeFile(join(blobs, name), text);
    return { mediaType, digest: `sha256:${name}`, size: Buffer.byteLength(text) };
  };
  const config = await add(`${MEDIA}.config.v1+json`, {
    created: TIME.json,
    architecture: "amd64",
    os: "linux",
    config: {
      Entrypoint: entrypoint,
      Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
      ...(user !== "" && { User: user }),
    },
    rootfs: { type: "layers", diff_ids: [digest] },
  });
  const manifest = await add(`${MEDIA}.manifest.v1+json`, {
    schemaVersion: 2,
    mediaType: `${MEDIA}.manifest.v1+json`,
    config,
    layers: [{ mediaType: `${MEDIA}.layer.v1.tar`, digest, size: sizeBytes }],
  });
  const annotations = { "org.opencontainers.image.ref.name": reference };
  const platform = { architecture: "amd64", os: "linux" };
  await writeFile(
    join(out, "index.json"),
    canonicalJson({
      schemaVersion: 2,
      mediaType: `${MEDIA}.index.v1+json`,
      manifests: [{ ...manifest, platform, annotations }],
    }),
  );
  await writeFile(join(out, "oci-layout"), canonicalJson({ imageLayoutVersion: "1.0.0" }));
}
