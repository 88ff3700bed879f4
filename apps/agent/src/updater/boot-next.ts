import { AshlarError } from "@ashlar/base";
import { chooseBootEntry, renamesToBoot } from "@ashlar/formats";
import { listBootEntries, renameBootEntries } from "../slots/boot-entries.ts";
import type { NodePaths } from "../shared/node-paths.ts";
import { noteRebootRequired } from "./reboot-required.ts";

/**
 * Lets a release that is installed boot next: by the names of the boot entries alone, which systemd-boot orders.
 *
 * @throws AshlarError `not-found` when it has no boot entry
 */
export async function bootNext(paths: NodePaths, version: string, runningVersion: string): Promise<void> {
  const entries = await listBootEntries(paths.esp);
  const renames = renamesToBoot(
    version,
    entries.map(({ fileName }) => fileName),
  );
  if (renames === undefined) throw new AshlarError("not-found", `expected a boot entry of ${version}, found none`);
  await renameBootEntries(paths.esp, renames);
  const next = chooseBootEntry(await listBootEntries(paths.esp))?.version;
  if (next !== version) throw new AshlarError("failed", `expected ${version} to boot next, found ${next}`);
  await noteRebootRequired(paths, version === runningVersion ? null : version);
}
