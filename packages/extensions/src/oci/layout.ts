/** An image layout directory (OCI Image Format Specification, "Image Layout"): index, manifest and layers by digest. */
import { createHash, hash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { Transform, type TransformCallback } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { AshlarError, messageOf } from "@ashlar/base";
import { kindOf, readLimited, readOptional } from "@ashlar/host";
import { type Descriptor, parseImageIndex, parseImageManifest } from "./documents.ts";

const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;
/** Of all layers of an image together, unpacked: they lie on the disk until the tree is made. */
export const MAX_UNPACKED_BYTES: number = 8 * 2 ** 30;
const LAYER =
  /^application\/vnd\.(?:oci\.image\.layer\.v1\.tar|docker\.image\.rootfs\.diff\.tar)(?:[+.](?<how>gzip|zstd))?$/u;
const INDEXES: ReadonlySet<string> = new Set([
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
]);

/** A layout's directory, and which of its images is meant. */
export type ImageOfLayout = { readonly directory: string; readonly tag: string | undefined };

/** Takes `DIRECTORY` and, where there is no directory of that whole name, `DIRECTORY:TAG`, as skopeo does. */
export async function imageOfLayout(text: string): Promise<ImageOfLayout> {
  const colon = text.indexOf(":");
  const isDirectory = await stat(text).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isDirectory || colon < 1 || colon === text.length - 1) return { directory: text, tag: undefined };
  return { directory: text.slice(0, colon), tag: text.slice(colon + 1) };
}

/**
 * Gives the layers of the image for x86-64, lowest first.
 *
 * @throws AshlarError `not-found`, `malformed`, `limit`, `untrusted` when a document has not its digest, `invalid` when
 * there is not one image that fits
 */
export async function readLayers({ directory, tag }: ImageOfLayout): Promise<readonly Descriptor[]> {
  const path = join(directory, "index.json");
  const bytes = await readOptional(path, MAX_DOCUMENT_BYTES);
  if (bytes === undefined) {
    throw new AshlarError("not-found", `${path}: expected the index of an OCI image layout, found none`, {
      hint: "make one with `skopeo copy docker://IMAGE oci:DIRECTORY`, or `docker save` and unpack it",
    });
  }
  const all = parseImageIndex(bytes.toString("utf8"));
  const tagged = tag === undefined ? all : all.filter((each) => each.tag === tag);
  if (tagged.length === 0 && tag !== undefined) {
    throw new AshlarError("not-found", `${path}: expected an image with the tag ${tag}, found ${tagsOf(all)}`);
  }
  let chosen = choose(tagged, path);
  if (INDEXES.has(chosen.mediaType)) {
    chosen = choose(parseImageIndex(await readDocument(directory, chosen)), chosen.digest);
  }
  return parseImageManifest(await readDocument(directory, chosen));
}

function choose(manifests: readonly Descriptor[], where: string): Descriptor {
  const isFitting = ({ platform }: Descriptor): boolean => platform === undefined || platform === "linux/amd64";
  // An image with two tags is in the index twice.
  const fitting = new Map(manifests.filter(isFitting).map((each) => [each.digest, each]));
  const [only, other] = fitting.values();
  if (only !== undefined && other === undefined) return only;
  const found = fitting.size === 0 ? "none" : `${fitting.size}: ${tagsOf(manifests.filter(isFitting))}`;
  throw new AshlarError("invalid", `${where}: expected one image for linux/amd64, found ${found}`, {
    hint: fitting.size === 0 ? "copy the image for amd64 into the layout" : "say which one with DIRECTORY:TAG",
  });
}

const MAX_SHOWN_TAGS = 8;
const MAX_SHOWN_CHARACTERS = 80;

function tagsOf(manifests: readonly Descriptor[]): string {
  const tags = [...new Set(manifests.map(({ tag }) => tag?.slice(0, MAX_SHOWN_CHARACTERS) ?? "one without a tag"))];
  const more = tags.length > MAX_SHOWN_TAGS ? `, and ${tags.length - MAX_SHOWN_TAGS} more` : "";
  return tags.length === 0 ? "none" : `${tags.slice(0, MAX_SHOWN_TAGS).join(", ")}${more}`;
}

async function readDocument(layout: string, descriptor: Descriptor): Promise<string> {
  const path = blobPath(layout, descriptor);
  const bytes = await readLimited(path, MAX_DOCUMENT_BYTES, { what: "a document of the layout" });
  checkDigest(path, descriptor, hash("sha256", bytes), bytes.length);
  return bytes.toString("utf8");
}

/**
 * Unpacks a layer's archive into a file.
 *
 * @param maxBytes what is left of the limit for all layers together
 * @returns its size
 * @throws AshlarError `malformed`, `limit`, `untrusted` when the layer has not its digest
 */
export async function unpackLayer(
  layout: string,
  layer: Descriptor,
  out: string,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<number> {
  const kind = LAYER.exec(layer.mediaType);
  if (kind === null) {
    throw new AshlarError("invalid", `layer ${layer.digest}: expected an archive, found ${layer.mediaType}`);
  }
  const path = blobPath(layout, layer);
  const digest = createHash("sha256");
  const packed = counter(layer.sizeBytes, `${path}: expected at most ${layer.sizeBytes} bytes`, (chunk) =>
    digest.update(chunk),
  );
  const tooMuch = `${layout}: expected layers of at most ${MAX_UNPACKED_BYTES} bytes in all, found more in ${path}`;
  const unpacked = counter(maxBytes, tooMuch, () => undefined);
  const how = kind.groups?.["how"];
  const decompress = how === "gzip" ? [createGunzip()] : how === "zstd" ? [createZstdDecompress()] : [];
  try {
    // A pipe in the layout would keep us waiting.
    const found = await stat(path);
    if (!found.isFile()) throw new AshlarError("malformed", `${path}: expected a file, found ${kindOf(found)}`);
    if (found.size !== layer.sizeBytes) throw wrongContent(path, layer, `${found.size} bytes`);
    await pipeline([createReadStream(path), packed.stream, ...decompress, unpacked.stream, createWriteStream(out)], {
      ...(signal !== undefined && { signal }),
    });
  } catch (error) {
    if (signal?.aborted === true) throw new AshlarError("interrupted", "interrupted");
    if (error instanceof AshlarError) throw error;
    throw new AshlarError("malformed", `${path}: ${messageOf(error)}`, { cause: error });
  }
  checkDigest(path, layer, digest.digest("hex"), packed.count());
  return unpacked.count();
}

type Counter = { readonly stream: Transform; readonly count: () => number };

function counter(maxBytes: number, tooMuch: string, visit: (chunk: Buffer) => void): Counter {
  let count = 0;
  const transform = (chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void => {
    count += chunk.length;
    visit(chunk);
    if (count > maxBytes) done(new AshlarError("limit", tooMuch));
    else done(null, chunk);
  };
  return { stream: new Transform({ transform }), count: () => count };
}

function checkDigest(path: string, { digest, sizeBytes }: Descriptor, sha256: string, size: number): void {
  if (digest === `sha256:${sha256}` && sizeBytes === size) return;
  throw wrongContent(path, { digest, sizeBytes }, `sha256:${sha256} and ${size} bytes`);
}

function wrongContent(
  path: string,
  { digest, sizeBytes }: Pick<Descriptor, "digest" | "sizeBytes">,
  found: string,
): AshlarError {
  return new AshlarError("untrusted", `${path}: expected ${digest} and ${sizeBytes} bytes, found ${found}`);
}

function blobPath(layout: string, { digest }: Descriptor): string {
  return join(layout, "blobs", ...digest.split(":"));
}
