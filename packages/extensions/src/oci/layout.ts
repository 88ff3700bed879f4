/** An image layout directory (OCI Image Format Specification, "Image Layout"): index, manifest and layers by digest. */
import { createHash, hash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Transform, type TransformCallback } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { AshlarError, messageOf } from "@ashlar/base";
import { type Descriptor, parseImageIndex, parseImageManifest } from "./documents.ts";

const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;
const MAX_LAYER_BYTES: number = 8 * 2 ** 30;
const LAYER =
  /^application\/vnd\.(?:oci\.image\.layer\.v1\.tar|docker\.image\.rootfs\.diff\.tar)(?:[+.](?<how>gzip|zstd))?$/u;
const INDEXES: ReadonlySet<string> = new Set([
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
]);

/**
 * Gives the layers of the image for x86-64, lowest first.
 *
 * @throws AshlarError `not-found`, `malformed`, `limit`, `untrusted` when a document has not its digest
 */
export async function readLayers(layout: string): Promise<readonly Descriptor[]> {
  const path = join(layout, "index.json");
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new AshlarError("not-found", `${path}: expected the index of an OCI image layout, found none`, {
      hint: "make one with `skopeo copy docker://IMAGE oci:DIRECTORY`, or `docker save` and unpack it",
      cause: error,
    });
  });
  let chosen = choose(parseImageIndex(limited(text, path)), path);
  if (INDEXES.has(chosen.mediaType)) {
    chosen = choose(parseImageIndex(await readDocument(layout, chosen)), chosen.digest);
  }
  return parseImageManifest(await readDocument(layout, chosen));
}

function choose(manifests: readonly Descriptor[], where: string): Descriptor {
  const fitting = manifests.filter(({ platform }) => platform === undefined || platform === "linux/amd64");
  const [only, other] = fitting;
  if (only !== undefined && other === undefined) return only;
  throw new AshlarError("invalid", `${where}: expected one image for linux/amd64, found ${fitting.length}`);
}

async function readDocument(layout: string, descriptor: Descriptor): Promise<string> {
  const path = blobPath(layout, descriptor);
  const { size } = await stat(path).catch((error: unknown) => {
    throw new AshlarError("not-found", `${path}: expected it in the layout, found none`, { cause: error });
  });
  if (size > MAX_DOCUMENT_BYTES) limited(" ".repeat(MAX_DOCUMENT_BYTES + 1), path);
  const bytes = await readFile(path);
  checkDigest(path, descriptor, hash("sha256", bytes), bytes.length);
  return bytes.toString("utf8");
}

/**
 * Unpacks a layer's archive into a file.
 *
 * @returns its size
 * @throws AshlarError `malformed`, `limit`, `untrusted` when the layer has not its digest
 */
export async function unpackLayer(
  layout: string,
  layer: Descriptor,
  out: string,
  signal?: AbortSignal,
): Promise<number> {
  const kind = LAYER.exec(layer.mediaType);
  if (kind === null) {
    throw new AshlarError("invalid", `layer ${layer.digest}: expected an archive, found ${layer.mediaType}`);
  }
  const path = blobPath(layout, layer);
  const digest = createHash("sha256");
  const packed = counter(MAX_LAYER_BYTES, path, (chunk) => digest.update(chunk));
  const unpacked = counter(MAX_LAYER_BYTES, path, () => undefined);
  const how = kind.groups?.["how"];
  const decompress = how === "gzip" ? [createGunzip()] : how === "zstd" ? [createZstdDecompress()] : [];
  try {
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

function counter(maxBytes: number, path: string, visit: (chunk: Buffer) => void): Counter {
  let count = 0;
  const transform = (chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void => {
    count += chunk.length;
    visit(chunk);
    if (count > maxBytes) done(new AshlarError("limit", `${path}: expected at most ${maxBytes} bytes`));
    else done(null, chunk);
  };
  return { stream: new Transform({ transform }), count: () => count };
}

function checkDigest(path: string, { digest, sizeBytes }: Descriptor, sha256: string, size: number): void {
  if (digest === `sha256:${sha256}` && sizeBytes === size) return;
  const found = `sha256:${sha256} and ${size} bytes`;
  throw new AshlarError("untrusted", `${path}: expected ${digest} and ${sizeBytes} bytes, found ${found}`);
}

function blobPath(layout: string, { digest }: Descriptor): string {
  return join(layout, "blobs", ...digest.split(":"));
}

function limited(text: string, path: string): string {
  if (text.length <= MAX_DOCUMENT_BYTES) return text;
  throw new AshlarError("limit", `${path}: expected at most ${MAX_DOCUMENT_BYTES} bytes`);
}
