/** The JSON documents of an OCI image (OCI Image Format Specification, "Image Index" and "Image Manifest"). */
import { parseDocument } from "@ashlar/protocol/answers";
import { z } from "zod";

export type Descriptor = {
  readonly mediaType: string;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
  readonly sizeBytes: number;
  /** `OS/ARCHITECTURE`; undefined when the document does not say. */
  readonly platform: string | undefined;
  /** What the entry of a layout's index is called there: a tag, or a whole reference to an image. */
  readonly tag: string | undefined;
};

const MAX_CHARACTERS = 4 * 1024 * 1024;
/** More than a running container may have (overlay's limit in Docker is 128). */
const MAX_LAYERS = 128;
const MAX_MANIFESTS = 256;
/** OCI Image Format Specification, "Pre-Defined Annotation Keys". */
const TAG = "org.opencontainers.image.ref.name";
const MAX_TAG_CHARACTERS = 512;

/** Other members are for others: the specification says to pass over them. */
const descriptor = z
  .object({
    mediaType: z.string().max(256),
    digest: z.string().regex(/^sha256:[0-9a-f]{64}$/u, "expected sha256: and 64 hexadecimal digits"),
    size: z.int().nonnegative(),
    platform: z.object({ os: z.string().max(64), architecture: z.string().max(64) }).optional(),
    annotations: z.object({ [TAG]: z.string().max(MAX_TAG_CHARACTERS).optional() }).optional(),
  })
  .transform(({ mediaType, digest, size, platform, annotations }): Descriptor => ({
    mediaType,
    digest,
    sizeBytes: size,
    platform: platform === undefined ? undefined : `${platform.os}/${platform.architecture}`,
    tag: annotations?.[TAG],
  }));
const imageIndex = z.object({ schemaVersion: z.literal(2), manifests: z.array(descriptor).max(MAX_MANIFESTS) });
const imageManifest = z.object({ schemaVersion: z.literal(2), layers: z.array(descriptor).min(1).max(MAX_LAYERS) });

/** @throws AshlarError `limit`, `malformed` */
export function parseImageIndex(text: string): readonly Descriptor[] {
  return parseDocument(text, imageIndex, "OCI image index", MAX_CHARACTERS).manifests;
}

/** @throws AshlarError `limit`, `malformed` */
export function parseImageManifest(text: string): readonly Descriptor[] {
  return parseDocument(text, imageManifest, "OCI image manifest", MAX_CHARACTERS).layers;
}
