import { type FileHandle, chmod, link, mkdir, open, rm, symlink } from "node:fs/promises";
import { readSync } from "node:fs";
import { dirname, join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { throwIfInterrupted } from "@ashlar/host";
import { type ExtensionKind, NO_BEHAVIOUR } from "@ashlar/protocol";
import type { Step } from "@ashlar/debian";
import { type LayerNode, Layers } from "../oci/layers.ts";
import { imageOfLayout, MAX_UNPACKED_BYTES, readLayers, unpackLayer } from "../oci/layout.ts";
import { readTar } from "@ashlar/formats";
import { named, TREES } from "../tree/check-tree.ts";
import type { StagedTree } from "./staged-tree.ts";

export type StageOciOptions = {
  /** `DIRECTORY` or `DIRECTORY:TAG`. */
  readonly layout: string;
  readonly kind: ExtensionKind;
  readonly tree: string;
  readonly work: string;
  readonly step: Step;
};

/** A layer's, unpacked. An image may have one layer more than once. */
type Archive = { readonly path: string; readonly sizeBytes: number; readonly file: FileHandle };

const COPY_BYTES = 1024 * 1024;

/**
 * Puts into the tree what an OCI image holds below the directories that are merged. The layers are put together in memory;
 * what they say about other places is never written.
 *
 * @throws AshlarError as `readLayers`, `unpackLayer` and `readTar` do; `invalid` for devices
 */
export async function stageOci({ layout, kind, tree, work, step }: StageOciOptions): Promise<StagedTree> {
  const layers = new Layers();
  const unpacked = new Map<string, Archive>();
  const archives: FileHandle[] = [];
  let leftBytes = MAX_UNPACKED_BYTES;
  try {
    const image = await imageOfLayout(layout);
    for (const descriptor of await readLayers(image)) {
      const { digest } = descriptor;
      let archive = unpacked.get(digest);
      if (archive === undefined) {
        step.onProgress(`reading layer ${digest.slice(0, 19)}`);
        const path = join(work, `layer-${unpacked.size}`);
        const sizeBytes = await unpackLayer(image.directory, descriptor, path, leftBytes, step.signal);
        leftBytes -= sizeBytes;
        archive = { path, sizeBytes, file: await open(path, "r") };
        unpacked.set(digest, archive);
      }
      archives.push(archive.file);
      layers.add(readTar(readExactly(archive.file), archive.sizeBytes));
    }
    const isTaken = ({ path }: LayerNode): boolean => TREES[kind].includes(path.split("/", 1)[0] ?? "");
    const nodes = layers.nodes();
    const written = new Map<string, string>();
    for (const node of nodes.filter(isTaken)) {
      throwIfInterrupted(step.signal);
      await writeNode(node, tree, archives, written);
    }
    return {
      packages: [],
      materials: [...unpacked.keys()].map((digest) => ({
        name: "layer",
        // What unpackLayer has checked.
        digest: { sha256: digest.replace(/^sha256:/u, "") },
        annotations: { role: "source" },
      })),
      leftOut: describeLeftOut(nodes, isTaken),
      ownerOf: () => undefined,
      behaviour: NO_BEHAVIOUR,
      version: null,
    };
  } finally {
    for (const { file, path } of unpacked.values()) {
      await file.close();
      await rm(path, { force: true });
    }
  }
}

function readExactly(archive: FileHandle): (offsetBytes: number, sizeBytes: number) => Uint8Array {
  return (offsetBytes, sizeBytes) => {
    const bytes = Buffer.alloc(sizeBytes);
    const found = readSync(archive.fd, bytes, 0, sizeBytes, offsetBytes);
    if (found === sizeBytes) return bytes;
    throw new AshlarError("malformed", `layer: expected ${sizeBytes} bytes at offset ${offsetBytes}, found ${found}`);
  };
}

/** @param written by place of the content, so that hard links stay hard links */
async function writeNode(
  node: LayerNode,
  tree: string,
  archives: readonly FileHandle[],
  written: Map<string, string>,
): Promise<void> {
  const { type, path, mode, linkTarget } = node;
  const target = join(tree, path);
  await mkdir(dirname(target), { recursive: true });
  if (type === "directory") await mkdir(target, { recursive: true });
  else if (type === "link") await symlink(linkTarget, target);
  else if (type === "file") {
    const place = `${node.layer}:${node.offsetBytes}`;
    const first = written.get(place);
    if (first === undefined) await writeContent(node, target, archives[node.layer]);
    else await link(first, target);
    written.set(place, target);
  } else throw new AshlarError("invalid", `expected only files, directories and links, found a ${type} at /${path}`);
  if (type !== "link") await chmod(target, mode);
}

async function writeContent(node: LayerNode, target: string, archive: FileHandle | undefined): Promise<void> {
  if (archive === undefined) throw new RangeError(`there is no layer ${node.layer}`);
  const read = readExactly(archive);
  await using file = await open(target, "wx");
  for (let done = 0; done < node.sizeBytes; done += COPY_BYTES) {
    await file.write(read(node.offsetBytes + done, Math.min(COPY_BYTES, node.sizeBytes - done)));
  }
}

function describeLeftOut(nodes: readonly LayerNode[], isTaken: (node: LayerNode) => boolean): string[] {
  const counts = new Map<string, number>();
  for (const node of nodes) {
    const [top = ""] = node.path.split("/", 1);
    if (!isTaken(node) && node.type !== "directory") counts.set(top, (counts.get(top) ?? 0) + 1);
  }
  const withAttributes = nodes.filter((node) => isTaken(node) && node.attributes.length > 0);
  const attributes = withAttributes.map(({ path, attributes: names }) => `/${path} (${names.join(", ")})`);
  return [
    ...[...counts].map(([top, count]) => `/${top}: ${count} ${count === 1 ? "file" : "files"}`),
    ...(attributes.length === 0 ? [] : [`extended attributes of ${named(attributes)}`]),
  ];
}
