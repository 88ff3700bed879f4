import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";
import { type ErofsImage, listErofs, openErofs, readErofsContent, readErofsInode } from "@ashlar/formats";
import type { ManifestFile } from "@ashlar/protocol/answers";
import { openRegion, readRegionSync } from "../region.ts";
import type { VerifyFileSystemOptions } from "./verify-file-system.ts";
import type { ImageProblem } from "./image-problem.ts";

export type ContentVerification = {
  readonly problems: readonly ImageProblem[];
  /** Why files were not compared; undefined when they were. */
  readonly unchecked: string | undefined;
};

const MAX_PROBLEMS = 16;

/**
 * Compares every file and link in an image with those of its manifest: the same paths, sizes, digests and targets. The
 * image must have been found whole.
 */
export async function verifyContent(
  { name, data, mountPoint }: Pick<VerifyFileSystemOptions, "name" | "data" | "mountPoint">,
  files: readonly ManifestFile[],
): Promise<ContentVerification> {
  const region = await openRegion(data);
  await using _handle = region.handle;
  const expected = new Map(files.map((file) => [file.path, file]));
  const messages: string[] = [];
  try {
    for await (const found of readImageFiles(openErofs(readRegionSync(region), region.sizeBytes), mountPoint)) {
      const stated = expected.get(found.path);
      expected.delete(found.path);
      const difference = compareFile(stated, found);
      if (difference !== undefined) messages.push(`${name}: ${found.path}: ${difference}`);
    }
  } catch (error) {
    if (!(error instanceof AshlarError)) throw error;
    return { problems: [], unchecked: `${name}: files were not compared with the manifest: ${error.message}` };
  }
  for (const path of expected.keys()) messages.push(`${name}: ${path}: expected as in the manifest, found none`);
  const problems = messages.slice(0, MAX_PROBLEMS).map((message) => ({ message }));
  if (messages.length > MAX_PROBLEMS) {
    problems.push({ message: `${name}: ${messages.length} files in all are not as the manifest says` });
  }
  return { problems, unchecked: undefined };
}

/** All files and links, in the form of a manifest. Hard links are read once. */
export async function* readImageFiles(image: ErofsImage, mountPoint: string): AsyncGenerator<ManifestFile> {
  const { entries, unreadable } = listErofs(image);
  const [first] = unreadable;
  if (first !== undefined) throw new AshlarError("malformed", `${mountPoint}${first.path}: ${first.reason}`);
  const known = new Map<number, ManifestFile | undefined>();
  for (const { path, nid } of entries) {
    if (!known.has(nid)) {
      known.set(nid, readFile(image, nid));
      // Other events get their turn between files.
      await setImmediate();
    }
    const file = known.get(nid);
    if (file !== undefined) yield { ...file, path: mountPoint + path };
  }
}

function readFile(image: ErofsImage, nid: number): ManifestFile | undefined {
  const inode = readErofsInode(image, nid);
  if (inode.type === "link") {
    const pieces: Uint8Array[] = [];
    readErofsContent(image, inode, (piece) => pieces.push(piece));
    return { type: "link", path: "", target: Buffer.concat(pieces).toString("utf8") };
  }
  if (inode.type !== "file") return undefined;
  const digest = createHash("sha256");
  readErofsContent(image, inode, (piece) => digest.update(piece));
  return { type: "file", path: "", sizeBytes: inode.sizeBytes, sha256: digest.digest("hex") };
}

function compareFile(stated: ManifestFile | undefined, found: ManifestFile): string | undefined {
  if (stated === undefined) return "unexpected file";
  if (stated.type === "file" && found.type === "file") {
    if (stated.sizeBytes !== found.sizeBytes) return `expected ${stated.sizeBytes} bytes, found ${found.sizeBytes}`;
    return stated.sha256 === found.sha256 ? undefined : `expected SHA-256 ${stated.sha256}, found ${found.sha256}`;
  }
  if (stated.type === "link" && found.type === "link") {
    return stated.target === found.target ? undefined : `expected a link to ${stated.target}, found ${found.target}`;
  }
  return `expected a ${stated.type}, found a ${found.type}`;
}
