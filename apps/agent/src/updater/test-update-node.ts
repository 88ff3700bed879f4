/** A node's disk for tests: files in place of devices, and a stand-in for systemd-sysupdate that works on them. */
import { createHash, hash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  createBlockHasher,
  GPT_BACKUP_BYTES,
  GPT_PRIMARY_BYTES,
  hashBlockDigests,
  type NumberedPartition,
  parseGpt,
  PARTITION_TYPES,
  partitionUuidsOf,
  upperVerityLevels,
  verityLayout,
  type VeritySuperblock,
  writeGpt,
  writeVeritySuperblock,
} from "@ashlar/formats";
import { nodePaths, type NodePaths } from "../shared/node-paths.ts";
import type { ReleaseSummary } from "@ashlar/repository-index";

const BLOCK_BYTES = 4096;
const DISK_BYTES = 2 * 1024 * 1024;
const SLOT_SECTORS = 512;

export type TestRelease = {
  readonly version: string;
  readonly data: Buffer;
  readonly tree: Buffer;
  readonly uki: Buffer;
  readonly rootHash: string;
  readonly dataPartitionUuid: string;
  readonly hashPartitionUuid: string;
};

/** The content is a file system, so that blocks have owners; the version is in its last block. */
export function makeTestRelease(version: string): TestRelease {
  const vector = readFileSync(new URL("../../../../test/vectors/erofs/inline-tails.erofs", import.meta.url));
  const data = Buffer.concat([vector, Buffer.alloc(2 * BLOCK_BYTES - (vector.length % BLOCK_BYTES))]);
  data.write(version, data.length - BLOCK_BYTES);
  const superblock: VeritySuperblock = {
    algorithm: "sha256",
    salt: new Uint8Array(32),
    uuid: "00000000-0000-4000-8000-000000000000",
    dataBlocks: data.length / BLOCK_BYTES,
    dataBlockSizeBytes: BLOCK_BYTES,
    hashBlockSizeBytes: BLOCK_BYTES,
  };
  const { levels, hashSizeBytes, digestSlotBytes } = verityLayout(superblock);
  const tree = Buffer.alloc(hashSizeBytes);
  tree.set(writeVeritySuperblock(superblock));
  const hasher = createBlockHasher(hash, {
    algorithm: "sha256",
    salt: superblock.salt,
    blockSizeBytes: BLOCK_BYTES,
    digestSlotBytes,
    capacity: superblock.dataBlocks,
  });
  for (const [index, block] of hasher.blocks.entries())
    block.set(data.subarray(index * BLOCK_BYTES).subarray(0, BLOCK_BYTES));
  const [bottom] = levels;
  if (bottom === undefined) throw new Error("a release has more than one block");
  hasher.digest(superblock.dataBlocks, tree, bottom.offsetBytes);
  const upper = upperVerityLevels(superblock, hashBlockDigests(superblock, tree.subarray(bottom.offsetBytes)));
  for (const [index, level] of upper.levels.entries()) tree.set(level, levels[index + 1]?.offsetBytes ?? 0);
  const uuids = partitionUuidsOf(upper.rootHash);
  return {
    version,
    data,
    tree,
    uki: Buffer.from(`the UKI of ${version}`),
    rootHash: Buffer.from(upper.rootHash).toString("hex"),
    dataPartitionUuid: uuids.data,
    hashPartitionUuid: uuids.hash,
  };
}

/** What of a summary the updater reads. */
export function summaryOf(release: TestRelease): ReleaseSummary {
  const { version, rootHash, dataPartitionUuid, hashPartitionUuid, data, tree, uki } = release;
  const summary = {
    version,
    usr: {
      rootHash,
      dataPartitionUuid,
      hashPartitionUuid,
      dataSizeBytes: data.length,
      verity: { sizeBytes: tree.length },
    },
    uki: { sha256: createHash("sha256").update(uki).digest("hex"), sizeBytes: uki.length },
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the other members are the verifier's
  return summary as unknown as ReleaseSummary;
}

export type TestUpdateNode = Disposable & {
  readonly root: string;
  readonly paths: NodePaths;
  /** Names in EFI/Linux. */
  readonly entries: () => string[];
  readonly partition: (number: number) => string;
  /** Boots a release: what runs is another one now. */
  readonly boot: (release: TestRelease, bootCountPath?: string) => void;
  /** What systemd-sysupdate does wrong in its next run. */
  readonly breakSysupdate: (fault: SysupdateFault) => void;
};

/**
 * - `dies`: it is killed after the data partition has been written and labelled.
 * - `bad-block`: a block of the data partition is not as it was sent, in this run.
 * - `bad-uki`: the UKI is cut off.
 */
type SysupdateFault = "dies" | "bad-block" | "bad-uki";

/** A node that runs `running` from its first slot; the second one holds `other`, or is empty. */
export function makeTestUpdateNode(running: TestRelease, other?: TestRelease): TestUpdateNode {
  const root = mkdtempSync(join(tmpdir(), "ashlar-node-"));
  const paths = nodePaths(root);
  for (const path of [
    paths.state,
    paths.runtime,
    paths.efiVariables,
    paths.partitionLinks,
    join(paths.esp, "EFI/Linux"),
  ]) {
    mkdirSync(path, { recursive: true });
  }
  for (const path of [paths.osRelease, paths.commandLine, paths.bootId, paths.sysupdate]) {
    mkdirSync(join(path, ".."), { recursive: true });
  }
  const slot = (release: TestRelease | undefined, number: number): Omit<NumberedPartition, "number">[] => {
    const first = 64 + (number - 1) * SLOT_SECTORS;
    const sectors = { firstLba: first, lastLba: first + SLOT_SECTORS - 1, attributes: 0n };
    const next = { firstLba: first + SLOT_SECTORS, lastLba: first + 2 * SLOT_SECTORS - 1, attributes: 0n };
    const [data, tree] = [
      `00000000-0000-4000-8000-00000000000${number}`,
      `00000000-0000-4000-8000-00000000001${number}`,
    ];
    const label = release === undefined ? "_empty" : `ashlar_${release.version}`;
    const treeLabel = release === undefined ? "_empty" : `${label}_verity`;
    return [
      { type: PARTITION_TYPES.usr, label, uuid: release?.dataPartitionUuid ?? data, ...sectors },
      { type: PARTITION_TYPES.usrVerity, label: treeLabel, uuid: release?.hashPartitionUuid ?? tree, ...next },
    ];
  };
  const disk = join(root, "dev/vda");
  writeTable(disk, [...slot(running, 1), ...slot(other, 3)]);
  const partition = (number: number): string => `${disk}${number}`;
  for (const [release, number] of [
    [running, 1],
    [other, 3],
  ] as const) {
    for (const [index, content] of [release?.data, release?.tree].entries()) {
      const bytes = Buffer.alloc(SLOT_SECTORS * 512);
      bytes.set(content ?? []);
      writeFileSync(partition(number + index), bytes);
    }
    if (release !== undefined)
      writeFileSync(join(paths.esp, "EFI/Linux", `ashlar_${release.version}.efi`), release.uki);
  }
  const script = [process.execPath, fileURLToPath(import.meta.url), root].map((word) => `'${word}'`).join(" ");
  writeFileSync(paths.sysupdate, `#!/bin/sh\nexec ${script} "$@"\n`, { mode: 0o755 });
  const boot = (release: TestRelease, bootCountPath?: string): void => {
    writeFileSync(paths.osRelease, `IMAGE_ID=ashlar\nIMAGE_VERSION=${release.version}\n`);
    writeFileSync(paths.commandLine, `root=tmpfs usrhash=${release.rootHash} quiet\n`);
    writeFileSync(paths.bootId, `boot-of-${release.version}\n`);
    for (const name of readdirSync(paths.partitionLinks)) rmSync(join(paths.partitionLinks, name));
    for (const { uuid, number } of readTable(disk)) symlinkSync(`../../vda${number}`, join(paths.partitionLinks, uuid));
    const variable = join(paths.efiVariables, "LoaderBootCountPath-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f");
    rmSync(variable, { force: true });
    if (bootCountPath !== undefined) {
      writeFileSync(variable, Buffer.concat([Buffer.alloc(4), Buffer.from(`${bootCountPath}\0`, "utf16le")]));
    }
    rmSync(paths.rebootRequired, { force: true });
  };
  boot(running);
  return {
    root,
    paths,
    boot,
    partition,
    entries: () => readdirSync(join(paths.esp, "EFI/Linux")).toSorted(),
    breakSysupdate: (fault) => writeFileSync(join(root, "fault"), fault),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

function readTable(disk: string): readonly NumberedPartition[] {
  const bytes = readFileSync(disk);
  const primary = bytes.subarray(0, GPT_PRIMARY_BYTES);
  return parseGpt({ primary, backup: bytes.subarray(-GPT_BACKUP_BYTES), sizeBytes: bytes.length }).partitions;
}

function writeTable(disk: string, partitions: readonly Omit<NumberedPartition, "number">[]): void {
  const diskGuid = "00000000-0000-4000-8000-0000000000ff";
  const { primary, backup } = writeGpt({ diskGuid, sizeBytes: DISK_BYTES, partitions });
  const bytes = Buffer.alloc(DISK_BYTES);
  bytes.set(primary);
  bytes.set(backup, DISK_BYTES - backup.length);
  writeFileSync(disk, bytes);
}

/** As systemd-sysupdate with the transfers in os/usr/lib/sysupdate.d does it: what is there already is not written again. */
function sysupdate(root: string, version: string): void {
  const paths = nodePaths(root);
  const disk = join(root, "dev/vda");
  const ready = join(paths.state, "ready");
  const running = /IMAGE_VERSION=(?<version>\S+)/u.exec(readFileSync(paths.osRelease, "utf8"))?.groups?.["version"];
  const fault = existsSync(join(root, "fault")) ? readFileSync(join(root, "fault"), "utf8") : "";
  rmSync(join(root, "fault"), { force: true });
  const names = readdirSync(ready);
  for (const [type, suffix, label] of [
    [PARTITION_TYPES.usr, ".usr.raw", ""],
    [PARTITION_TYPES.usrVerity, ".usr-verity.raw", "_verity"],
  ] as const) {
    const wanted = `ashlar_${version}${label}`;
    const table = readTable(disk);
    if (table.some((each) => each.type === type && each.label === wanted)) continue;
    const target = table.find((each) => each.type === type && each.label !== `ashlar_${running}${label}`);
    const name = names.find((each) => each.endsWith(suffix));
    if (target === undefined || name === undefined) throw new Error("no target or no source");
    const content = readFileSync(join(ready, name));
    const bytes = readFileSync(`${disk}${target.number}`);
    bytes.set(content);
    if (fault === "bad-block" && label === "") bytes[BLOCK_BYTES + 5] = 0xee;
    writeFileSync(`${disk}${target.number}`, bytes);
    const uuid = name.split("_")[2]?.split(".")[0] ?? "";
    writeTable(disk, table.with(table.indexOf(target), { ...target, label: wanted, uuid }));
    if (fault === "dies") process.kill(process.pid, "SIGKILL");
  }
  const linux = join(paths.esp, "EFI/Linux");
  if (readdirSync(linux).some((name) => name.startsWith(`ashlar_${version}`))) return;
  copyFileSync(join(ready, `ashlar_${version}.efi`), join(linux, `ashlar_${version}+3-0.efi`));
  if (fault === "bad-uki") writeFileSync(join(linux, `ashlar_${version}+3-0.efi`), "the UKI");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [root = "", verb, version = ""] = process.argv.slice(2);
  if (verb !== "update") throw new Error(`expected update, found ${verb}`);
  sysupdate(root, version);
}
