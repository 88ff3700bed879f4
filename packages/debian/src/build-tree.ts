import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { run, type RunOptions } from "@ashlar/host";
import type { Step } from "./debian-trees.ts";

/**
 * A Debian tree on disk whose programs are run with it as their root, each in a mount namespace of its own: whatever
 * happens, no mount stays behind.
 */
export class BuildTree {
  readonly directory: string;
  readonly #step: Step;

  constructor(directory: string, step: Step) {
    this.directory = directory;
    this.#step = step;
  }

  static async unpack(tar: string, directory: string, step: Step): Promise<BuildTree> {
    await mkdir(directory);
    await run(
      "tar",
      ["-C", directory, "--extract", "--file", tar, "--numeric-owner", "--xattrs", "--xattrs-include=*"],
      { signal: step.signal },
    );
    return new BuildTree(directory, step);
  }

  /** The path on the host of a path inside the tree. */
  path(inside: string): string {
    return join(this.directory, inside);
  }

  /** Runs a program of the tree. `binds` maps directories inside the tree to directories of the host. */
  async run(
    program: string,
    args: readonly string[],
    options: Pick<RunOptions, "env"> & { readonly binds?: Readonly<Record<string, string>> } = {},
  ): Promise<string> {
    const binds = { "/dev": "/dev", "/sys": "/sys", ...options.binds };
    for (const inside of ["/proc", ...Object.keys(binds)]) await mkdir(this.path(inside), { recursive: true });
    const script = [
      "set -e",
      'root=$1; shift; mount -t proc proc "$root/proc"',
      'while [ "$1" != -- ]; do mount --rbind "$2" "$root$1"; shift 2; done; shift',
      'exec chroot "$root" "$@"',
    ].join("\n");
    const mounts = Object.entries(binds).flat();
    const { stdout } = await run(
      "unshare",
      [
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        script,
        "sh",
        this.directory,
        ...mounts,
        "--",
        program,
        ...args,
      ],
      {
        // A user's own PATH may name directories that the tree does not have.
        env: { PATH: "/usr/sbin:/usr/bin", HOME: "/root", ...options.env },
        signal: this.#step.signal,
      },
    );
    return stdout.toString("utf8");
  }
}
