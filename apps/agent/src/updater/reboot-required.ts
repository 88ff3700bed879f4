import { chmod, rm, writeFile } from "node:fs/promises";
import type { NodePaths } from "../shared/node-paths.ts";

/**
 * Tells others that this node wants to reboot, where Debian's packages and Kured look. `staged`: the version that boots
 * next and does not run, or null.
 */
export async function noteRebootRequired(
  { rebootRequired }: Pick<NodePaths, "rebootRequired">,
  staged: string | null,
): Promise<void> {
  const packages = `${rebootRequired}.pkgs`;
  if (staged === null) {
    await Promise.all([rebootRequired, packages].map(async (path) => await rm(path, { force: true })));
    return;
  }
  for (const [path, text] of [
    [packages, `ashlar ${staged}\n`],
    [rebootRequired, "*** System restart required ***\n"],
  ] as const) {
    await writeFile(path, text);
    // Everybody may know, whatever the service's umask.
    await chmod(path, 0o644);
  }
}
