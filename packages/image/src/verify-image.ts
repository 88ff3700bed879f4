import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { type Gpt, PARTITION_TYPES } from "@ashlar/formats";
import { parseManifest, type ReleaseManifest } from "@ashlar/protocol/answers";
import { type ImageProblem, verifyContent, verifyFileSystem } from "@ashlar/volumes";
import { findSlots, partitionName, readDisk, regionOf, verifySlot } from "./verify-disk.ts";
import { verifyEsp } from "./verify-esp.ts";
import { verifyBootLoader, verifyDigest, verifyProgram, verifySuperblock, verifyUki } from "./verify-files.ts";

export type VerifyImageOptions = {
  /** What is being checked. */
  readonly onProgress?: (message: string) => void;
};

export type ImageVerification = {
  /** Undefined for a disk alone: nothing says what it should be, only whether it agrees with itself. */
  readonly manifest: ReleaseManifest | undefined;
  /** The root hashes of the slots found whole. */
  readonly rootHashes: readonly string[];
  /** Empty when everything is as released. */
  readonly problems: readonly ImageProblem[];
  /** What could not be looked at, with the reason. */
  readonly unchecked: readonly string[];
};

/**
 * Checks an image: a directory that `ashlar image build` made against its manifest, or a disk image alone against the root
 * hashes that its partition UUIDs spell. Everything is read; nothing is changed.
 *
 * @throws AshlarError `not-found` when there is nothing to check, `malformed` or `invalid` for a bad manifest
 */
export async function verifyImage(target: string, options: VerifyImageOptions = {}): Promise<ImageVerification> {
  const onProgress = options.onProgress ?? ((): void => undefined);
  const found = await stat(target).catch(() => undefined);
  if (found === undefined) throw new AshlarError("not-found", `${target}: expected an image directory or a disk image`);
  return found.isDirectory()
    ? await verifyDirectory(target, onProgress)
    : await verifyDisk(target, undefined, onProgress);
}

async function verifyDirectory(directory: string, onProgress: (message: string) => void): Promise<ImageVerification> {
  const pathOf = (name: string): string => join(directory, name);
  const text = await readFile(pathOf("manifest.json"), "utf8").catch(() => {
    throw new AshlarError("not-found", `${pathOf("manifest.json")}: expected the manifest of an image`, {
      hint: "give a directory that `ashlar image build` made, or a disk image",
    });
  });
  const manifest = parseManifest(text);
  const { usr } = manifest;
  const problems: ImageProblem[] = [];

  onProgress("usr image and hash tree");
  const data = { sizeBytes: usr.dataSizeBytes, sha256: usr.sha256 };
  problems.push(...(await verifyDigest("usr.erofs", pathOf("usr.erofs"), data)));
  problems.push(...(await verifyDigest("usr.verity", pathOf("usr.verity"), usr.verity)));
  problems.push(...(await verifySuperblock("usr.verity", pathOf("usr.verity"), manifest)));
  const parts = {
    name: "usr.erofs",
    data: { path: pathOf("usr.erofs") },
    hashName: "usr.verity",
    hash: { path: pathOf("usr.verity") },
    rootHash: usr.rootHash,
    mountPoint: "/usr",
  } as const;
  const damages = await verifyFileSystem(parts);
  problems.push(...damages);
  const unchecked: string[] = [];
  if (damages.length === 0) {
    onProgress("files in the usr image");
    const content = await verifyContent(parts, manifest.files);
    problems.push(...content.problems);
    if (content.unchecked !== undefined) unchecked.push(content.unchecked);
  }

  onProgress("UKI and boot loader");
  const verifyOwnUki = (bytes: Uint8Array): ImageProblem[] => verifyUki("uki.efi", bytes, manifest);
  problems.push(...(await verifyProgram("uki.efi", pathOf("uki.efi"), verifyOwnUki)));
  const bootLoader = "systemd-boot.efi";
  const verifyOwnLoader = (bytes: Uint8Array): ImageProblem[] => verifyBootLoader(bootLoader, bytes, manifest);
  problems.push(...(await verifyProgram(bootLoader, pathOf(bootLoader), verifyOwnLoader)));

  const disk = await verifyDisk(pathOf("disk.raw"), manifest, onProgress);
  return { ...disk, problems: [...problems, ...disk.problems], unchecked: [...unchecked, ...disk.unchecked] };
}

async function verifyDisk(
  path: string,
  manifest: ReleaseManifest | undefined,
  onProgress: (message: string) => void,
): Promise<ImageVerification> {
  const name = basename(path);
  const problems: ImageProblem[] = [];
  const unchecked: string[] = [];
  const rootHashes: string[] = [];
  try {
    onProgress(`partitions of ${name}`);
    const gpt = await readDisk(path);
    const slots = findSlots(gpt);
    if (slots.length === 0) problems.push({ message: `${name}: expected an operating system in a slot, found none` });
    for (const slot of slots) {
      onProgress(partitionName(name, slot.data));
      const found = await verifySlot(path, name, slot);
      if (found.length === 0) rootHashes.push(slot.rootHash);
      problems.push(...found);
    }
    if (manifest !== undefined) {
      problems.push(
        ...compareSlots(
          name,
          slots.map(({ rootHash }) => rootHash),
          manifest,
        ),
      );
      const esp = await verifyDiskEsp(path, name, gpt, manifest, onProgress);
      problems.push(...esp.problems);
      unchecked.push(...esp.unchecked);
    }
  } catch (error) {
    if (!(error instanceof AshlarError)) throw error;
    problems.push({ message: `${name}: ${error.message}` });
  }
  return { manifest, rootHashes, problems, unchecked };
}

/** The partition UUIDs are how `usrhash=` on the command line finds /usr. */
function compareSlots(name: string, rootHashes: readonly string[], { usr }: ReleaseManifest): ImageProblem[] {
  if (rootHashes.includes(usr.rootHash)) return [];
  const found = rootHashes.length === 0 ? "none" : rootHashes.join(", ");
  return [{ message: `${name}: expected a slot whose partition UUIDs spell ${usr.rootHash}, found ${found}` }];
}

async function verifyDiskEsp(
  path: string,
  name: string,
  { partitions }: Gpt,
  manifest: ReleaseManifest,
  onProgress: (message: string) => void,
): Promise<{ readonly problems: readonly ImageProblem[]; readonly unchecked: readonly string[] }> {
  const esp = partitions.find(({ type }) => type === PARTITION_TYPES.esp);
  if (esp === undefined) {
    return { problems: [{ message: `${name}: expected an EFI system partition, found none` }], unchecked: [] };
  }
  onProgress(partitionName(name, esp));
  const { problems, unchecked } = await verifyEsp(partitionName(name, esp), regionOf(path, esp), manifest);
  return { problems, unchecked: unchecked === undefined ? [] : [unchecked] };
}
