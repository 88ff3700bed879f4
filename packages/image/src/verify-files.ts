import { createHash, hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { AshlarError } from "@ashlar/base";
import { authenticodeDigest, parseVeritySuperblock, SUPERBLOCK_BYTES, ukiSections } from "@ashlar/formats";
import { isMissing } from "@ashlar/host";
import type { ReleaseManifest } from "@ashlar/protocol/answers";
import { compare, type ImageProblem, openRegion, readRegion } from "@ashlar/volumes";

/** A UKI is at most 24 MB; anything far larger is none. */
const MAX_PROGRAM_BYTES = 256 * 1024 * 1024;

/** Size and SHA-256 of a file that may be large. */
export async function verifyDigest(
  name: string,
  path: string,
  expected: { readonly sizeBytes: number; readonly sha256: string },
): Promise<ImageProblem[]> {
  return await collect(name, async () => {
    const { size } = await stat(path);
    if (size !== expected.sizeBytes) return compare(`${name} size`, expected.sizeBytes, size);
    const digest = createHash("sha256");
    await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), digest);
    return compare(`${name} SHA-256`, expected.sha256, digest.digest("hex"));
  });
}

/** The verity superblock must say what the manifest says: the same salt and UUID make the same tree again. */
export async function verifySuperblock(name: string, path: string, { usr }: ReleaseManifest): Promise<ImageProblem[]> {
  return await collect(name, async () => {
    const region = await openRegion({ path });
    await using _handle = region.handle;
    const superblock = parseVeritySuperblock(await readRegion(region, 0, SUPERBLOCK_BYTES));
    return [
      ...compare(`${name} salt`, usr.salt, Buffer.from(superblock.salt).toString("hex")),
      ...compare(`${name} UUID`, usr.uuid, superblock.uuid),
      ...compare(`${name} data size`, usr.dataSizeBytes, superblock.dataBlocks * superblock.dataBlockSizeBytes),
    ];
  });
}

/** Every digest of the UKI that the manifest states: of the file, as firmware sees it, and of each section. */
export function verifyUki(name: string, bytes: Uint8Array, manifest: ReleaseManifest): ImageProblem[] {
  const { uki, commandLine, sha384 } = manifest;
  return collectSync(name, () => {
    const sections = ukiSections(bytes);
    const dataOf = (wanted: string): Uint8Array =>
      sections.find((section) => section.name === wanted)?.data ?? new Uint8Array();
    const digests = sections.map((section) => `${section.name} ${hash("sha256", section.data)}`);
    const expected = uki.sections.map((section) => `${section.name} ${section.sha256}`);
    const linux = dataOf(".linux");
    const inSha384 = sections.map((section) => `${section.name} ${hash("sha384", section.data)}`).join(", ");
    return [
      ...compare(`${name} size`, uki.sizeBytes, bytes.length),
      ...compare(`${name} SHA-256`, uki.sha256, hash("sha256", bytes)),
      ...compare(`${name} Authenticode digest`, uki.authenticode, authenticode(bytes)),
      ...compare(`${name} kernel's Authenticode digest`, uki.linuxAuthenticode, authenticode(linux)),
      ...compare(`${name} command line`, commandLine, commandLineOf(dataOf(".cmdline"))),
      ...Array.from({ length: Math.max(digests.length, expected.length) }, (_, index) =>
        compare(`${name} section ${index + 1}`, expected[index] ?? "none", digests[index] ?? "none"),
      ).flat(),
      ...(sha384 === undefined
        ? []
        : [
            ...compare(`${name} Authenticode SHA-384`, sha384.uki, authenticode(bytes, "sha384")),
            ...compare(`${name} kernel's Authenticode SHA-384`, sha384.linux, authenticode(linux, "sha384")),
            ...compare(
              `${name} SHA-384 of the sections`,
              sha384.sections.map((section) => `${section.name} ${section.sha384}`).join(", "),
              inSha384,
            ),
          ]),
    ];
  });
}

export function verifyBootLoader(name: string, bytes: Uint8Array, manifest: ReleaseManifest): ImageProblem[] {
  const { bootLoader, sha384 } = manifest;
  return collectSync(name, () => [
    ...compare(`${name} SHA-256`, bootLoader.sha256, hash("sha256", bytes)),
    ...compare(`${name} Authenticode digest`, bootLoader.authenticode, authenticode(bytes)),
    ...(sha384 === undefined
      ? []
      : compare(`${name} Authenticode SHA-384`, sha384.bootLoader, authenticode(bytes, "sha384"))),
  ]);
}

/** Reads a program whole and checks it; a missing one is a problem of the image. */
export async function verifyProgram(
  name: string,
  path: string,
  verify: (bytes: Uint8Array) => ImageProblem[],
): Promise<ImageProblem[]> {
  return await collect(name, async () => {
    const { size } = await stat(path);
    if (size > MAX_PROGRAM_BYTES) return compare(`${name} size`, `at most ${MAX_PROGRAM_BYTES}`, size);
    return verify(await readFile(path));
  });
}

function authenticode(bytes: Uint8Array, algorithm: "sha256" | "sha384" = "sha256"): string {
  return Buffer.from(authenticodeDigest(bytes, algorithm)).toString("hex");
}

/** As in the manifest: without a final newline or NUL. */
function commandLineOf(data: Uint8Array): string {
  return Buffer.from(data)
    .toString("utf8")
    .replace(/[\n\0]+$/u, "");
}

/** What stops the checks of one file is one more finding about it. */
async function collect(name: string, check: () => Promise<ImageProblem[]>): Promise<ImageProblem[]> {
  try {
    return await check();
  } catch (error) {
    return [problemOf(name, error)];
  }
}

function collectSync(name: string, check: () => ImageProblem[]): ImageProblem[] {
  try {
    return check();
  } catch (error) {
    return [problemOf(name, error)];
  }
}

function problemOf(name: string, error: unknown): ImageProblem {
  if (error instanceof AshlarError) return { message: `${name}: ${error.message}` };
  if (isMissing(error)) return { message: `${name}: is missing` };
  throw error;
}
