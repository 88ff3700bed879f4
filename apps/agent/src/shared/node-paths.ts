import { join } from "node:path";
import { BOOT_LOADER_SOURCE, type ExtensionKind, type PcrBank } from "@ashlar/protocol";

/** Where things are on a node. Tests put them below a directory of their own. */
export type NodePaths = {
  /** The mounted EFI system partition. */
  readonly esp: string;
  /** What workloads write to. */
  readonly workloads: string;
  /** What the updater keeps over reboots. */
  readonly state: string;
  /** What is gone with the next boot. */
  readonly runtime: string;
  readonly rebootRequired: string;
  /** The updater's socket that only root can open. */
  readonly updaterSocket: string;
  /** The one for the agent, where orders have to be proved. */
  readonly updaterAgentSocket: string;
  readonly refresherSocket: string;
  /** The first that exists counts. */
  readonly policyFiles: readonly string[];
  /** The first that exists counts. */
  readonly trustedRootFiles: readonly string[];
  readonly healthDirectories: readonly string[];
  readonly efiVariables: string;
  readonly osRelease: string;
  readonly commandLine: string;
  readonly bootId: string;
  readonly machineId: string;
  /** Where the kernel says how long tasks had to wait. */
  readonly pressure: string;
  /** udev's links from partition UUIDs to devices. */
  readonly partitionLinks: string;
  /** Where the kernel's last words of an earlier boot may be. */
  readonly pstore: readonly string[];
  /** systemd-boot of the running release. The first that exists counts. */
  readonly bootLoaders: readonly string[];
  readonly sysupdate: string;
  /** Definitions for systemd-sysupdate that are gone with the next boot. */
  readonly sysupdateRuntime: string;
  readonly extensions: ExtensionPaths;
};

export type ExtensionPaths = {
  /** Images, each below a directory of its extension's name. */
  readonly store: string;
  /** What is kept over reboots: which version is current, what has failed. */
  readonly state: string;
  /** What is gone with the next boot. */
  readonly runtime: string;
  /** By kind: links to what is merged, where systemd-sysupdate's `CurrentSymlink=` leads, too. */
  readonly links: Readonly<Record<ExtensionKind, string>>;
  /** /usr, /opt and /etc without what is merged over them. */
  readonly base: string;
  readonly measurementLog: string;
  /** PCR 13 as the kernel reads it, by bank; the file is there when the bank is on. */
  readonly registers: Readonly<Record<PcrBank, string>>;
};

/** `root`: what `/` is. */
export function nodePaths(root = "/"): NodePaths {
  const at = (path: string): string => join(root, path);
  return {
    esp: at("boot"),
    workloads: at("var"),
    state: at("var/lib/ashlar/update"),
    runtime: at("run/ashlar"),
    rebootRequired: at("run/reboot-required"),
    updaterSocket: at("run/ashlar-updater-root.sock"),
    updaterAgentSocket: at("run/ashlar-updater.sock"),
    refresherSocket: at("run/ashlar-refresher.sock"),
    policyFiles: [at("etc/ashlar/update.yaml"), at("usr/lib/ashlar/update.yaml")],
    trustedRootFiles: [at("etc/ashlar/release-root.json"), at("usr/lib/ashlar/release-root.json")],
    healthDirectories: [at("usr/lib/ashlar/health.d"), at("etc/ashlar/health.d")],
    efiVariables: at("sys/firmware/efi/efivars"),
    osRelease: at("usr/lib/os-release"),
    commandLine: at("proc/cmdline"),
    bootId: at("proc/sys/kernel/random/boot_id"),
    machineId: at("etc/machine-id"),
    pressure: at("proc/pressure"),
    partitionLinks: at("dev/disk/by-partuuid"),
    pstore: [at("var/lib/systemd/pstore"), at("sys/fs/pstore")],
    // Below what extensions are merged over, where there are any.
    bootLoaders: ["run/ashlar/extensions/base", "."].map((base) => at(join(base, BOOT_LOADER_SOURCE))),
    sysupdate: at("usr/lib/systemd/systemd-sysupdate"),
    sysupdateRuntime: at("run/sysupdate.d"),
    extensions: {
      store: at("opt/extensions"),
      state: at("var/lib/ashlar/extensions"),
      runtime: at("run/ashlar/extensions"),
      links: { sysext: at("run/extensions"), confext: at("run/confexts") },
      base: at("run/ashlar/extensions/base"),
      measurementLog: at("run/log/systemd/tpm2-measure.log"),
      registers: {
        sha256: at("sys/class/tpm/tpm0/pcr-sha256/13"),
        sha384: at("sys/class/tpm/tpm0/pcr-sha384/13"),
      },
    },
  };
}
