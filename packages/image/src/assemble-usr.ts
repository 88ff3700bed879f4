import {
  chmod,
  copyFile,
  cp,
  glob,
  lstat,
  mkdir,
  readFile,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { BOOT_LOADER_SOURCE } from "@ashlar/protocol";
import type { BuildTree, OsDefinition } from "@ashlar/debian";
import { addReleaseSource, type ReleaseSource } from "./release-source.ts";

export type UsrParts = {
  readonly version: string;
  readonly os: OsDefinition;
  /** The executable that becomes /usr/bin/ashlar. */
  readonly agentPath: string;
  /** Ignition's program, which the initrd runs from /usr: the firmware would hash it there more than once. */
  readonly ignitionPath: string;
  /** Becomes {@link BOOT_LOADER_SOURCE}. */
  readonly bootLoaderPath: string;
  /** A directory that is laid over /usr at the end. */
  readonly addedTree: string | undefined;
  readonly releaseSource: ReleaseSource | undefined;
  readonly sourceDateEpoch: number;
};

/**
 * Turns the tree of the node's packages into the `/usr` that is shipped: the files of `os/` on top, what a node does not
 * need removed, users and enabled units fixed, and `/etc` kept as the factory copy that each boot starts from.
 *
 * @returns the kernel's release, for example 6.12.73+deb13-cloud-amd64
 */
export async function assembleUsr(tree: BuildTree, parts: UsrParts): Promise<string> {
  const { os } = parts;
  const env = { SOURCE_DATE_EPOCH: String(parts.sourceDateEpoch) };
  await rm(tree.path("usr/share/factory"), { recursive: true, force: true });
  for (const part of ["usr", "etc"]) await copyTree(join(os.directory, part), tree.path(part));
  await chmod(tree.path("etc/sudoers.d/core"), 0o440);
  await replaceText(tree.path("usr/lib/os-release"), (text) => text.replaceAll("@VERSION@", parts.version));
  await copyFile(parts.agentPath, tree.path("usr/bin/ashlar"));
  await chmod(tree.path("usr/bin/ashlar"), 0o755);
  await copyFile(parts.ignitionPath, tree.path("usr/lib/ashlar/ignition"));
  await chmod(tree.path("usr/lib/ashlar/ignition"), 0o755);

  await tree.run("systemd-sysusers", [], { env });
  // An account whose password field begins with "!" counts as locked for sshd, keys or not.
  await replaceText(tree.path("etc/shadow"), (text) => text.replace(/^core:[^:]*:/mu, "core:*:"));
  await enableUnits(tree, os.maskedUnits);

  await removeAll(tree, os.remove);
  await mkdir(dirname(tree.path(BOOT_LOADER_SOURCE)), { recursive: true });
  await copyFile(parts.bootLoaderPath, tree.path(BOOT_LOADER_SOURCE));
  await chmod(tree.path(BOOT_LOADER_SOURCE), 0o644);
  const kernelRelease = await findKernelRelease(tree);
  // Where kubeadm looks at what the kernel can do, before it lets a node join.
  const kernelConfig = tree.path(`usr/lib/modules/${kernelRelease}/config`);
  await copyFile(tree.path(`boot/config-${kernelRelease}`), kernelConfig);
  await chmod(kernelConfig, 0o644);
  await tree.run("depmod", [kernelRelease]);
  await tree.run("ldconfig", []);
  if (parts.releaseSource !== undefined) await addReleaseSource(tree, parts.releaseSource);
  if (parts.addedTree !== undefined) await copyTree(parts.addedTree, tree.path("usr"));
  await makeFactoryEtc(tree);
  return kernelRelease;
}

/** Presets decide what is enabled, on links that packages have left behind too. */
async function enableUnits(tree: BuildTree, maskedUnits: readonly string[]): Promise<void> {
  for (const unit of maskedUnits) {
    const path = tree.path(join("usr/lib/systemd/system", unit));
    await rm(path, { force: true });
    await symlink("/dev/null", path);
  }
  for await (const path of glob("etc/systemd/system/*.{wants,requires}", { cwd: tree.directory })) {
    await rm(tree.path(path), { recursive: true });
  }
  await tree.run("systemctl", ["--quiet", "preset-all"]);
}

async function removeAll(tree: BuildTree, globs: readonly string[]): Promise<void> {
  for (const pattern of globs) {
    for await (const path of glob(pattern, { cwd: tree.directory })) {
      await rm(tree.path(path), { recursive: true, force: true });
    }
  }
}

async function findKernelRelease(tree: BuildTree): Promise<string> {
  for await (const path of glob("usr/lib/modules/*", { cwd: tree.directory }))
    return path.slice("usr/lib/modules/".length);
  throw new TypeError("the packages of a node bring no kernel");
}

/** What belongs to one machine, to package management or to a boot is not part of the factory copy. */
const NOT_FACTORY = [
  "machine-id",
  "hostname",
  "resolv.conf",
  "fstab",
  "apt",
  "dpkg",
  "kernel",
  "initramfs-tools",
  "logrotate.d",
  "alternatives/README",
  ".pwd.lock",
  "ld.so.cache~",
  "cron.*",
  "init.d",
  "rc*.d",
  "ssh/ssh_host_*",
  "passwd-",
  "group-",
  "shadow-",
  "gshadow-",
  "subuid-",
  "subgid-",
];

async function makeFactoryEtc(tree: BuildTree): Promise<void> {
  for (const pattern of NOT_FACTORY) {
    for await (const path of glob(`etc/${pattern}`, { cwd: tree.directory })) {
      await rm(tree.path(path), { recursive: true, force: true });
    }
  }
  await symlink("../run/systemd/resolve/stub-resolv.conf", tree.path("etc/resolv.conf"));
  await writeFile(tree.path("etc/fstab"), "");
  await mkdir(tree.path("usr/share/factory"), { recursive: true });
  await rename(tree.path("etc"), tree.path("usr/share/factory/etc"));
}

/** Copies a tree over another, links as links; the copies belong to root whoever owns the checkout. */
async function copyTree(from: string, to: string): Promise<void> {
  await cp(from, to, {
    recursive: true,
    verbatimSymlinks: true,
    filter: async (source, destination) => {
      const [replaced, replacing] = await Promise.all([lstat(destination).catch(() => undefined), lstat(source)]);
      // cp follows a link in its way, and would not put a link in the place of a file.
      if (
        replaced !== undefined &&
        (replaced.isSymbolicLink() || replacing.isSymbolicLink()) &&
        !replaced.isDirectory()
      ) {
        await unlink(destination);
      }
      if (replaced === undefined) await mkdir(dirname(destination), { recursive: true });
      return true;
    },
  });
}

async function replaceText(path: string, replace: (text: string) => string): Promise<void> {
  await writeFile(path, replace(await readFile(path, "utf8")));
}
