import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { AshlarError } from "@ashlar/base";
import { readLimited, readOptional } from "@ashlar/host";
import { z } from "zod";
import { closeServer, listen, type Closable } from "@ashlar/host";

/** A container image: the name by which pods ask for it, and its OCI layout. */
export type LabImage = {
  /** With registry and tag, for example `registry.k8s.io/pause:3.10`. */
  readonly reference: string;
  /** A directory (OCI Image Format Specification, "Image Layout") whose index lists the one image. */
  readonly layout: string;
};

export type ImageServerOptions = {
  readonly images: readonly LabImage[];
  /** 0: any that is free. */
  readonly port: number;
};

const MAX_CONNECTIONS = 256;
const MAX_HEADER_BYTES = 8 * 1024;
const MAX_TARGET_CHARACTERS = 1024;
const HEADERS_TIMEOUT_MS = 10_000;
/** An emulated node that unpacks what it has read so far reads nothing more for minutes. */
const IDLE_TIMEOUT_MS = 600_000;
const MAX_MANIFEST_BYTES: number = 4 * 1024 * 1024;

const DIGEST = /^sha256:[0-9a-f]{64}$/u;
const TARGET = /^\/v2\/(?<name>[a-z0-9][a-z0-9._/-]{0,254})\/(?<kind>manifests|blobs)\/(?<what>[\w][\w.:-]{0,127})$/u;
const REFERENCE = /^(?<registry>[a-z0-9.-]+(?::\d{1,5})?)\/(?<name>[a-z0-9][a-z0-9._/-]*):(?<tag>[\w][\w.-]{0,127})$/u;

const descriptor = z.object({ mediaType: z.string().max(255), digest: z.string().regex(DIGEST) });
const index = z.object({ manifests: z.array(descriptor).length(1) });

/**
 * The lab's container images by the part of the OCI Distribution Specification that pulling needs, read-only. containerd
 * asks it in place of every registry and says in `ns` which one it means, so that images keep their makers' names.
 *
 * @throws AshlarError `conflict` when the port is taken, `malformed` when an image's name cannot be one
 */
export async function startImageServer({ images, port }: ImageServerOptions): Promise<Closable & { port: number }> {
  for (const { reference } of images) parseReference(reference);
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: HEADERS_TIMEOUT_MS,
    },
    (request, response) => {
      answer(images, request, response).catch(() => {
        if (response.headersSent) response.destroy();
        else response.writeHead(500).end();
      });
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(IDLE_TIMEOUT_MS);
  await listen(server, { host: "127.0.0.1", port });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    close: async () => {
      server.closeAllConnections();
      await closeServer(server);
    },
  };
}

/** @throws AshlarError `malformed` */
export function parseReference(reference: string): { readonly repository: string; readonly tag: string } {
  const { registry, name, tag } = REFERENCE.exec(reference)?.groups ?? {};
  if (registry === undefined || name === undefined || tag === undefined) {
    throw new AshlarError("malformed", `expected an image's name as REGISTRY/NAME:TAG, found ${reference}`);
  }
  return { repository: `${registry}/${name}`, tag };
}

async function answer(images: readonly LabImage[], request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { Allow: "GET, HEAD", Connection: "close" }).end();
    return;
  }
  const found = await find(images, request.url ?? "");
  if (found === undefined) {
    response.writeHead(404).end();
    return;
  }
  const { path, sizeBytes, headers } = found;
  response.writeHead(200, { ...headers, "Content-Length": sizeBytes });
  if (request.method === "HEAD" || path === undefined) response.end();
  else await pipeline(createReadStream(path), response);
}

type Found = {
  /** Undefined: nothing but the headers. */
  readonly path: string | undefined;
  readonly sizeBytes: number;
  readonly headers: Readonly<Record<string, string>>;
};

async function find(images: readonly LabImage[], target: string): Promise<Found | undefined> {
  if (target.length > MAX_TARGET_CHARACTERS || !target.startsWith("/")) return undefined;
  const [path = "", query = ""] = target.split("?", 2);
  if (path === "/v2/" || path === "/v2") return { path: undefined, sizeBytes: 0, headers: {} };
  const { name, kind, what } = TARGET.exec(path)?.groups ?? {};
  const registry = new URLSearchParams(query).get("ns");
  if (name === undefined || what === undefined || registry === null) return undefined;
  const repository = `${registry}/${name}`;
  const known = images
    .map((image) => ({ ...image, ...parseReference(image.reference) }))
    .filter((image) => image.repository === repository);
  if (DIGEST.test(what)) return await findBlob(known, what, kind === "manifests");
  const tagged = kind === "manifests" ? known.find(({ tag }) => tag === what) : undefined;
  if (tagged === undefined) return undefined;
  return await findBlob([tagged], await manifestOf(tagged), true);
}

async function findBlob(images: readonly LabImage[], digest: string, isManifest: boolean): Promise<Found | undefined> {
  for (const { layout } of images) {
    const path = join(layout, "blobs/sha256", digest.slice("sha256:".length));
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile() !== true) continue;
    const type = isManifest ? await mediaTypeOf(path) : "application/octet-stream";
    return { path, sizeBytes: found.size, headers: { "Content-Type": type, "Docker-Content-Digest": digest } };
  }
  return undefined;
}

/** @throws AshlarError `malformed` when the layout's index lists anything but one image */
async function manifestOf({ layout }: LabImage): Promise<string> {
  const path = join(layout, "index.json");
  const text = await readOptional(path, MAX_MANIFEST_BYTES);
  const parsed = index.safeParse(JSON.parse(text?.toString("utf8") ?? "null"));
  const digest = parsed.data?.manifests[0]?.digest;
  if (digest === undefined) throw new AshlarError("malformed", `${path}: expected one image`);
  return digest;
}

/** What a manifest says that it is. An image manifest of the first specification may leave it out. */
async function mediaTypeOf(path: string): Promise<string> {
  const value: unknown = JSON.parse((await readLimited(path, MAX_MANIFEST_BYTES)).toString("utf8"));
  const { mediaType } = z.object({ mediaType: z.string().max(255).optional() }).parse(value);
  return mediaType ?? "application/vnd.oci.image.manifest.v1+json";
}
