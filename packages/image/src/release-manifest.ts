import { hash } from "node:crypto";
import type { Dirent } from "node:fs";
import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import {
  authenticodeDigest,
  partitionUuidsOf,
  ukiSections,
  BOOT_PHASES,
  expectedPcr4,
  expectedPcr11,
} from "@ashlar/formats";
import { MANIFEST_SCHEMA, type ManifestFile, type ReleaseManifest } from "@ashlar/protocol/answers";
import type { DebianPackage } from "@ashlar/debian";
import { describeSecureBoot, type ImageSecureBoot } from "./secure-boot.ts";
import type { UsrImage } from "./usr-image.ts";

export type ManifestParts = {
  readonly version: string;
  readonly sysextLevel: string;
  readonly commandLine: string;
  /** The os-release of the tree, which the UKI has too. */
  readonly osRelease: string;
  readonly usr: UsrImage;
  /** The assembled tree that the usr image was made from. */
  readonly usrTree: string;
  readonly ukiPath: string;
  readonly bootLoaderPath: string;
  readonly secureBoot: ImageSecureBoot | undefined;
  readonly packages: readonly DebianPackage[];
};

/** States what an image is and how it will measure itself, from its files alone. */
export async function describeRelease(parts: ManifestParts): Promise<ReleaseManifest> {
  const { usr } = parts;
  const [uki, bootLoader] = await Promise.all([readFile(parts.ukiPath), readFile(parts.bootLoaderPath)]);
  const rawSections = ukiSections(uki);
  const sections = rawSections.map(({ name, data }) => ({ name, sha256: hash("sha256", data) }));
  const linux = rawSections.find(({ name }) => name === ".linux")?.data;
  if (linux === undefined) throw new TypeError("ukify wrote a UKI without a kernel");
  const programs = {
    bootLoader: authenticode(bootLoader),
    uki: authenticode(uki),
    linux: authenticode(linux),
  };
  const uuids = partitionUuidsOf(Buffer.from(usr.rootHash, "hex"));
  const pcr11 = (count: number): string => expectedPcr11(sections, BOOT_PHASES.slice(0, count));
  return {
    schema: MANIFEST_SCHEMA,
    version: parts.version,
    architecture: "x86-64",
    sysextLevel: parts.sysextLevel,
    commandLine: parts.commandLine,
    osRelease: parts.osRelease,
    usr: {
      rootHash: usr.rootHash,
      salt: usr.salt,
      uuid: usr.verityUuid,
      dataSizeBytes: usr.dataSizeBytes,
      sha256: hash("sha256", await readFile(usr.path)),
      verity: { sha256: hash("sha256", await readFile(usr.verityPath)), sizeBytes: usr.hashSizeBytes },
      dataPartitionUuid: uuids.data,
      hashPartitionUuid: uuids.hash,
    },
    uki: {
      sha256: hash("sha256", uki),
      sizeBytes: uki.length,
      authenticode: programs.uki,
      linuxAuthenticode: programs.linux,
      sections,
    },
    bootLoader: { sha256: hash("sha256", bootLoader), authenticode: programs.bootLoader },
    pcrs: {
      "4": expectedPcr4(programs),
      "11": { "enter-initrd": pcr11(1), "leave-initrd": pcr11(2), sysinit: pcr11(3), ready: pcr11(4) },
    },
    pcr11Sections: pcr11(0),
    sha384: {
      bootLoader: authenticode(bootLoader, "sha384"),
      uki: authenticode(uki, "sha384"),
      linux: authenticode(linux, "sha384"),
      sections: rawSections.map(({ name, data }) => ({ name, sha384: hash("sha384", data) })),
    },
    ...(parts.secureBoot === undefined ? {} : { secureBoot: describeSecureBoot(parts.secureBoot) }),
    packages: parts.packages,
    files: await listFiles(parts.usrTree),
  };
}

function authenticode(bytes: Uint8Array, algorithm: "sha256" | "sha384" = "sha256"): string {
  return Buffer.from(authenticodeDigest(bytes, algorithm)).toString("hex");
}

async function listFiles(usrTree: string): Promise<ManifestFile[]> {
  const files: ManifestFile[] = [];
  for await (const entry of walk(usrTree)) {
    const host = join(entry.parentPath, entry.name);
    const path = `/usr${host.slice(usrTree.length)}`;
    if (entry.isSymbolicLink()) files.push({ type: "link", path, target: await readlink(host) });
    else if (entry.isFile()) {
      const content = await readFile(host);
      files.push({ type: "file", path, sizeBytes: content.length, sha256: hash("sha256", content) });
    }
  }
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * Every entry below a directory. Neither glob nor readdir does here: the one leaves out names that begin with a dot, the
 * other goes through links, which lead from a node's tree into the build host's.
 */
async function* walk(directory: string): AsyncGenerator<Dirent> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    yield entry;
    if (entry.isDirectory()) yield* walk(join(directory, entry.name));
  }
}
