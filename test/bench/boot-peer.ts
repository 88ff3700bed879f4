/** An ordinary Debian system on an ext4 disk, of the same packages as a node: what a node's boot is compared with. */
import { copyFile, glob, mkdir, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PARTITION_TYPES, SECTOR_BYTES, writeGpt, type GptPartition } from "@ashlar/formats";
import { run, withTemporaryDirectory } from "@ashlar/host";
import { BuildTree, cachedStep, chooseArchive, makeDebianTrees, readOsDefinition, type Step } from "@ashlar/debian";

const MEBIBYTE = 1024 * 1024;
const ESP: GptPartition = {
  type: PARTITION_TYPES.esp,
  uuid: "5f1f9d5c-6d64-4f0e-9f0c-2d3c9f9a0001",
  label: "esp",
  ...extent(1, 256),
  attributes: 0n,
};
const ROOT: GptPartition = {
  // Linux file system data (UEFI Discoverable Partitions Specification).
  type: "0fc63daf-8483-4772-8e79-3d69d8477de4",
  uuid: "5f1f9d5c-6d64-4f0e-9f0c-2d3c9f9a0002",
  label: "root",
  ...extent(257, 2048),
  attributes: 0n,
};
const DISK_GUID = "5f1f9d5c-6d64-4f0e-9f0c-2d3c9f9a0000";
const DISK_BYTES = 2306 * MEBIBYTE;

/** As on a node: systemd tells its progress on the console, and goes on to do so since no login takes it over. */
const KERNEL_OPTIONS = "console=tty0 console=ttyS0,115200 quiet systemd.show_status=yes systemd.getty_auto=no";

/** A unit that the peer starts besides, after everything that Debian enables. */
export type PeerUnit = { readonly name: string; readonly contents: string };

/**
 * Gives a directory with the peer's `disk.raw`, which a lab can be made from: the tree that mmdebstrap has made of the
 * node's packages, with the units that Debian enables and the initrd that its kernel package has made.
 */
export async function makePeerImage(step: Step, units: readonly PeerUnit[] = []): Promise<string> {
  const os = await readOsDefinition();
  const debian = await makeDebianTrees(os, await chooseArchive({}), step);
  const inputs = { format: 1, debian: debian.key, kernelOptions: KERNEL_OPTIONS, units };
  const { directory } = await cachedStep("boot-peer", inputs, async (out) => {
    step.onProgress("making an ordinary Debian disk of the same packages");
    await withTemporaryDirectory(async (work) => {
      const tree = await BuildTree.unpack(debian.nodeTar, join(work, "tree"), step);
      for (const { name, contents } of units) await addUnit(tree, name, contents);
      // systemd-boot is not one of the node's packages: a node only finds it on its disk.
      await run("tar", ["-C", work, "-xf", debian.buildTar, LOADER]);
      await writeDisk(tree, join(work, LOADER), work, join(out, "disk.raw"));
    }, out);
    await writeFile(join(out, "manifest.json"), "{}\n");
  });
  return directory;
}

const LOADER = "./usr/lib/systemd/boot/efi/systemd-bootx64.efi";

async function writeDisk(tree: BuildTree, loader: string, work: string, disk: string): Promise<void> {
  const [esp, root] = [join(work, "esp"), join(work, "root")];
  await makeEsp(tree, loader, work, esp);
  await makeRoot(tree, root);
  const { primary, backup } = writeGpt({ diskGuid: DISK_GUID, partitions: [ESP, ROOT], sizeBytes: DISK_BYTES });
  await writeFile(disk, primary);
  await truncate(disk, DISK_BYTES - backup.length);
  await writeFile(disk, backup, { flag: "a" });
  for (const [source, { firstLba }] of [
    [esp, ESP],
    [root, ROOT],
  ] as const) {
    const offsetMiB = (firstLba * SECTOR_BYTES) / MEBIBYTE;
    await run("dd", [`if=${source}`, `of=${disk}`, "bs=1M", `seek=${offsetMiB}`, "conv=sparse,notrunc", "status=none"]);
  }
}

async function addUnit(tree: BuildTree, name: string, contents: string): Promise<void> {
  const units = tree.path("etc/systemd/system");
  await mkdir(join(units, "multi-user.target.wants"), { recursive: true });
  await writeFile(join(units, name), contents);
  await symlink(`../${name}`, join(units, "multi-user.target.wants", name));
}

/** systemd-boot with one entry of the Boot Loader Specification: kernel and initrd as files. */
async function makeEsp(tree: BuildTree, loader: string, work: string, esp: string): Promise<void> {
  await writeFile(join(work, "loader.conf"), "timeout 0\n");
  const options = `root=PARTUUID=${ROOT.uuid} ro ${KERNEL_OPTIONS}`;
  const entry = `title Debian\nlinux /debian/linux\ninitrd /debian/initrd\noptions ${options}\n`;
  await writeFile(join(work, "debian.conf"), entry);
  await copyFile(await findOne(tree, "boot/vmlinuz-*"), join(work, "linux"));
  await copyFile(await findOne(tree, "boot/initrd.img-*"), join(work, "initrd"));
  await writeFile(esp, "");
  await truncate(esp, sizeOf(ESP));
  await run("mkfs.vfat", ["-F", "32", "-n", "ESP", esp]);
  await run("mmd", ["-i", esp, "::EFI", "::EFI/BOOT", "::debian", "::loader", "::loader/entries"]);
  for (const [source, target] of [
    [loader, "::EFI/BOOT/BOOTX64.EFI"],
    [join(work, "linux"), "::debian/linux"],
    [join(work, "initrd"), "::debian/initrd"],
    [join(work, "loader.conf"), "::loader/loader.conf"],
    [join(work, "debian.conf"), "::loader/entries/debian.conf"],
  ] as const) {
    await run("mcopy", ["-i", esp, source, target]);
  }
}

async function makeRoot(tree: BuildTree, root: string): Promise<void> {
  // The tree of packages has only what they install; /var/log/journal makes the journal persistent, as on any Debian.
  for (const path of ["dev", "home", "proc", "root", "run", "sys", "tmp", "var/log/journal", "var/tmp"]) {
    await mkdir(tree.path(path), { recursive: true });
  }
  await writeFile(tree.path("etc/fstab"), `PARTUUID=${ROOT.uuid} / ext4 errors=remount-ro 0 1\n`);
  // The work of a first boot is not what is measured: caches are up to date, and the file system's tables are written.
  for (const path of ["etc/.updated", "var/.updated"]) await writeFile(tree.path(path), "");
  await writeFile(root, "");
  await truncate(root, sizeOf(ROOT));
  const eager = "lazy_itable_init=0,lazy_journal_init=0";
  await run("mke2fs", ["-q", "-F", "-t", "ext4", "-L", "root", "-E", eager, "-d", tree.directory, root]);
}

async function findOne(tree: BuildTree, pattern: string): Promise<string> {
  for await (const path of glob(pattern, { cwd: tree.directory })) return tree.path(path);
  throw new TypeError(`expected ${pattern} in the tree of the node's packages`);
}

function extent(firstMiB: number, sizeMiB: number): { firstLba: number; lastLba: number } {
  const firstLba = (firstMiB * MEBIBYTE) / SECTOR_BYTES;
  return { firstLba, lastLba: firstLba + (sizeMiB * MEBIBYTE) / SECTOR_BYTES - 1 };
}

function sizeOf({ firstLba, lastLba }: GptPartition): number {
  return (lastLba - firstLba + 1) * SECTOR_BYTES;
}
